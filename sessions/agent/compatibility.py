"""The script of the agent that A2A compatibility kits drive: ids of messages say what to do."""

import json

from sessions.agent.protocol import Media, Prompt, ToolRequest
from sessions.agent.scripts import Reply
from sessions.core.conversation import Role
from sessions.core.runs import RunRejected
from sessions.core.tools import QUESTION

MESSAGE = "message_id"
"""The setting of a prompt that holds the id of the client's message."""

FILE = Media("text/plain", b"tck", "output.txt")
LINK = Media("text/uri-list", b"https://example.com/output.txt", "output.txt")
ASK = ToolRequest("question", QUESTION, {"question": "What more is there to know?"})
DATA = Media("application/json", json.dumps({"key": "value", "count": 42}).encode())
REPLIES = {
    "tck-complete-task": Reply(text="Hello from TCK"),
    "tck-artifact-text": Reply(text="Generated text content"),
    "tck-artifact-file": Reply(media=(FILE,)),
    "tck-artifact-file-url": Reply(media=(LINK,)),
    "tck-artifact-data": Reply(media=(DATA,)),
    "tck-message-response": Reply(text="Direct message response"),
    "tck-input-required": Reply(requests=(ASK,)),
    "tck-reject-task": Reply(error=RunRejected("The task is rejected.")),
    "tck-stream-00": Reply(text="Streamed text content"),
    "tck-stream-ordering": Reply(text="Ordered output"),
    "tck-stream-artifact-text": Reply(text="Streamed text content"),
    "tck-stream-artifact-file": Reply(media=(FILE,)),
    "tck-stream-artifact-chunked": Reply(text="chunk-1 chunk-2"),
    "tck-slow": Reply(text="At last", pause_seconds=2.0),
    "test-resubscribe-message-id": Reply(text="At last", pause_seconds=2.0),
}
DONE = REPLIES["tck-complete-task"]


def compatibility(prompt: Prompt) -> Reply:
    """What the longest prefix of the message's id says; whatever answers a question ends the task."""
    if any(turn.role == Role.TOOL for turn in prompt.turns):
        return DONE
    name = str(prompt.settings.get(MESSAGE, ""))
    found = [prefix for prefix in REPLIES if name.startswith(prefix)]
    return REPLIES[max(found, key=len)] if found else DONE
