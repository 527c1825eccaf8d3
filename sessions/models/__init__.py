"""The rows of sessions."""

from sessions.models.agent import Agent, Budget, Provider, ToolServer, Trigger
from sessions.models.bookmark import Bookmark
from sessions.models.checkpoint import Checkpoint, Fork, Snapshot
from sessions.models.library import Preset, PresetVersion, SessionTag, Tag
from sessions.models.message import Artifact, Attachment, Message
from sessions.models.policy import Grant, Policy
from sessions.models.replay import Replay
from sessions.models.run import Run, RunHistory
from sessions.models.saved_view import SavedView
from sessions.models.session import Session
from sessions.models.snooze import Snooze
from sessions.models.tool_call import Approval, ToolCall
from sessions.models.upload import Upload
from sessions.models.webhook import Delivery, Hearing, Push, Webhook

__all__ = [
    "Agent",
    "Approval",
    "Artifact",
    "Attachment",
    "Bookmark",
    "Budget",
    "Checkpoint",
    "Delivery",
    "Fork",
    "Grant",
    "Hearing",
    "Message",
    "Policy",
    "Preset",
    "PresetVersion",
    "Provider",
    "Push",
    "Replay",
    "Run",
    "RunHistory",
    "SavedView",
    "Session",
    "SessionTag",
    "Snapshot",
    "Snooze",
    "Tag",
    "ToolCall",
    "ToolServer",
    "Trigger",
    "Upload",
    "Webhook",
]
