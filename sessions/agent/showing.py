"""The scripts that come with Aegis: the assistant, and those that show what a model may do."""

import re
import struct
import zlib
from typing import Any

import msgspec

from sessions.agent import flash_dip, scripts, smalltalk
from sessions.agent.compatibility import compatibility
from sessions.agent.protocol import Media, Prompt, ToolRequest, Turn
from sessions.agent.scripts import Reply
from sessions.core.conversation import Role
from sessions.core.errors import LLMError

USE = re.compile(
    r"^[ \t]*(?:use|call)[ \t]+(?P<tool>[\w.:-]{1,200})[ \t]*(?P<arguments>\{.*\})?[ \t]*$",
    re.MULTILINE,
)


def assistant(prompt: Prompt) -> Reply:
    """
    An answer from the conversation.

    A line ``use TOOL {"argument": …}`` of the user asks for a tool that is offered; several lines
    ask for several at once. What tools said is told.
    """
    if scripts.answers_given(prompt):
        return Reply(text=scripts.results_told(prompt) or "Done.")
    last = _last_of_user(prompt)
    requests = _requests(last.content, offered={one.name for one in prompt.tools})
    if requests:
        return Reply(text="I will do that.", requests=requests)
    files = ", ".join(one.name or one.media_type for one in last.media)
    seen = f"I was given {files}. " if files else ""
    return Reply(text=seen + smalltalk.answer(prompt.turns))


def echo(prompt: Prompt) -> Reply:
    """What the user said."""
    return Reply(text=_last_of_user(prompt).content)


def counting(prompt: Prompt) -> Reply:
    """As many pieces as the user said, else ten."""
    found = re.search(r"\d{1,5}", _last_of_user(prompt).content)
    return Reply(chunks=int(found[0]) if found else 10)


def picture(_prompt: Prompt) -> Reply:
    """A small image beside a sentence."""
    image = Media(media_type="image/png", data=_png(8, 8), name="square.png")
    return Reply(text="Here is a square.", media=(image,))


def failing(_prompt: Prompt) -> Reply:
    """A provider that breaks off in the middle of its answer."""
    return Reply(text="This is as far as it gets.", error=LLMError("The script fails."), after=3)


def install() -> None:
    """Let each of them be a model by its name, as ``scripted:echo``."""
    for script in (assistant, echo, counting, picture, failing, compatibility):
        scripts.register(script.__name__, script)
    flash_dip.install()


def _last_of_user(prompt: Prompt) -> Turn:
    said = [turn for turn in prompt.turns if turn.role == Role.USER]
    return said[-1] if said else Turn(role=Role.USER, content="")


def _requests(text: str, *, offered: set[str]) -> tuple[ToolRequest, ...]:
    found = [one for one in USE.finditer(text) if one["tool"] in offered]
    return tuple(
        ToolRequest(f"call-{number}", one["tool"], _arguments(one["arguments"]))
        for number, one in enumerate(found, start=1)
    )


def _arguments(text: str | None) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, Any])
    except msgspec.DecodeError:
        # It is for the tool to refuse what has not its form.
        return {"text": text}


def _png(width: int, height: int) -> bytes:
    """A plain image of one colour."""
    rows = (b"\x00" + b"\x4f\x46\xe5" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(kind, data) for kind, data in parts)


def _part(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check
