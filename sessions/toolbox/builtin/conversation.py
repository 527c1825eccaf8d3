"""Tools that speak in the conversation and look into it."""

from typing import Annotated, Any

from pydantic import Field

from aegis_project.kit.errors import InvalidState
from sessions.core import conversation as rules
from sessions.core.conversation import Role
from sessions.core.tool_calls import Risk
from sessions.core.tools import QUESTION
from sessions.models import Message
from sessions.services import conversation
from sessions.services.conversation import Utterance
from sessions.toolbox.define import tool
from sessions.toolbox.ground import Ground

MOST_FOUND = 50
AROUND = 200
LONGEST_QUESTION = 2000


@tool(risk=Risk.LOW, is_idempotent=True, source="builtin")
async def post_note(
    ground: Ground,
    text: Annotated[str, Field(min_length=1, max_length=rules.MAX_CONTENT)],
) -> Any:
    """Leave a note in the conversation for the people who read it; no agent answers it."""

    def act() -> Any:
        draft = Utterance(
            content=text,
            role=Role.SYSTEM,
            metadata={"note": True, "tool_call": ground.call.tool_call_id},
            answers=False,
        )
        said = conversation.say(principal=ground.principal, session=ground.session_id, draft=draft)
        return {"message": str(said.message.pk), "place": said.message.place}

    return await ground.once(act)


@tool(risk=Risk.SAFE, is_idempotent=True, source="builtin")
async def search_history(
    ground: Ground,
    text: Annotated[str, Field(min_length=1, max_length=200, description="In any case.")],
    limit: Annotated[int, Field(ge=1, le=MOST_FOUND)] = 10,
) -> Any:
    """Find messages of this session that contain a text, the newest first."""
    return await ground.read(_search, ground, text, limit)


@tool(risk=Risk.SAFE, name=QUESTION, source="builtin")
async def ask_person(
    ground: Ground,
    question: Annotated[str, Field(min_length=1, max_length=LONGEST_QUESTION)],
) -> Any:
    """
    Ask the person in this conversation, and wait for the answer.

    Use it only for what you cannot find out or decide yourself.
    """
    raise InvalidState("A person answers this; nothing is carried out.", question=question)


def _search(ground: Ground, text: str, limit: int) -> list[dict[str, Any]]:
    ground.principal.require("messages:read")
    rows = Message.objects.filter(session_id=ground.session_id, content__icontains=text)
    found = rows.order_by("-place").values("place", "role", "author", "created_at", "content")
    return [
        {
            "place": row["place"],
            "role": row["role"],
            "author": row["author"],
            "at": row["created_at"].isoformat(),
            "text": _around(row["content"], text),
        }
        for row in found[:limit]
    ]


def _around(content: str, text: str) -> str:
    at = max(content.lower().find(text.lower()), 0)
    begin, end = max(at - AROUND, 0), at + len(text) + AROUND
    before, after = "…" if begin else "", "…" if end < len(content) else ""
    return f"{before}{content[begin:end]}{after}"


TOOLS = (ask_person, post_note, search_history)
