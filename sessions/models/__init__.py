"""The rows of sessions."""

from sessions.models.agent import Agent, Budget, Provider, ToolServer, Trigger
from sessions.models.message import Artifact, Attachment, Message
from sessions.models.policy import Grant, Policy
from sessions.models.replay import Replay
from sessions.models.run import Run, RunHistory
from sessions.models.session import Session
from sessions.models.tool_call import Approval, ToolCall
from sessions.models.webhook import Delivery, Hearing, Push, Webhook

__all__ = [
    "Agent",
    "Approval",
    "Artifact",
    "Attachment",
    "Budget",
    "Delivery",
    "Grant",
    "Hearing",
    "Message",
    "Policy",
    "Provider",
    "Push",
    "Replay",
    "Run",
    "RunHistory",
    "Session",
    "ToolCall",
    "ToolServer",
    "Trigger",
    "Webhook",
]
