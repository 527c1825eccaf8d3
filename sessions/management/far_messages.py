"""`aegis message` against a server that was named."""

import contextlib
import sys
import threading
import time
from pathlib import Path
from typing import Any

from sessions.core import keys
from sessions.core.runs import PEOPLE
from sessions.management import beginnings, far, far_files, files, listing, output
from sessions.management.client import PAGE, PIECE_BYTES, Client
from sessions.management.far import Columns, Document
from sessions.management.output import How, Misused
from sessions.management.verbs import PersonNeeded

WIDTH = 100
CLOSED = frozenset({"completed", "failed", "cancelled"})
LOOK_SECONDS = 1.0

MESSAGES: Columns = {
    "PLACE": lambda row: str(row["place"]),
    "MESSAGE": lambda row: row["id"],
    "ROLE": lambda row: row["role"],
    "AUTHOR": lambda row: row["author"],
    "AGE": lambda row: far.moment(row["created_at"]),
    "CONTENT": lambda row: " ".join(row["content"][: WIDTH * 2].split())[:WIDTH],
}


def several(
    server: Client, *, session: str, limit: int, before: int, is_json: bool, is_quiet: bool
) -> None:
    """The newest messages of a conversation there, in their order."""
    asked: dict[str, Any] = {"before": before} if before else {}
    found, has_more = _newest(server, session, limit, **asked)
    far.several(How(is_json, is_quiet), "message.list", MESSAGES, found, has_more=has_more)


def _newest(
    server: Client, session: str, limit: int, *, fields: str = "", **asked: Any
) -> tuple[list[Document], bool]:
    """So many messages of the chosen branch, and whether there are more ahead of them."""
    found: list[Document] = []
    only = {"fields": fields} if fields else {}
    while True:
        some = min(PAGE, limit - len(found))
        page = server.get("sessions", session, "messages", limit=some, **only, **asked)
        found = [*page["data"], *found]
        if not page["has_more"] or len(found) >= limit:
            return found, page["has_more"]
        asked = {"before_id": page["next_cursor"]}


def whole(server: Client, session: str, message: str) -> str:
    """The id of a message of the chosen branch there that begins so; else what was said."""
    if keys.span(message) is None:
        return message
    rows, _ = _newest(server, session, beginnings.MOST, fields="id")
    return keys.only((row["id"] for row in rows), message)


def say(
    server: Client,
    *,
    session: str,
    text: str,
    attach: list[Path],
    answer: bool,
    wait: float,
    is_json: bool,
    is_quiet: bool,
    **given: Any,
) -> None:
    """Say something in a session there."""
    content = _text(text)
    body = listing.said(**given) | {"content": content} | ({} if answer else {"answers": False})
    if attach:
        files = [
            far_files.brought(server, session, one, name=one.name, kind="attachment")
            for one in attach
        ]
        body["attachments"] = [one["file"] for one in files]
    made = server.send("POST", "sessions", session, "messages", body=body)
    _tell(server, How(is_json, is_quiet), "message.say", made, wait=wait)


def edit(
    server: Client,
    *,
    session: str,
    message: str,
    text: str,
    wait: float,
    is_json: bool,
    is_quiet: bool,
) -> None:
    """Say a message differently."""
    place = ("sessions", session, "messages", whole(server, session, message), "edit")
    made = server.send("POST", *place, body={"content": _text(text)})
    _tell(server, How(is_json, is_quiet), "message.edit", made, wait=wait)


def choose(server: Client, *, session: str, message: str, is_json: bool, is_quiet: bool) -> None:
    """Go back to the branch that a message is on."""
    one = whole(server, session, message)
    found = server.send("POST", "sessions", session, "messages", one, "choose")
    show(How(is_json, is_quiet), "message.choose", found)


def export(server: Client, *, session: str, form: str, file: Path | None) -> None:
    """
    Write the conversation there from its beginning to its end.

    :raises Misused: for a file that cannot be written
    """
    place = ["sessions", session, "messages", "export"]
    try:
        with (
            files.whole(file) if file else contextlib.nullcontext(sys.stdout.buffer) as out,
            server.asked("GET", place, query={"format": form}) as response,
        ):
            while piece := response.read(PIECE_BYTES):
                out.write(piece)
            out.flush()
    except OSError as error:
        raise Misused(f"{file} cannot be written: {error.strerror}.") from None


def _tell(server: Client, how: How, name: str, made: Document, *, wait: float) -> None:
    """The message that was said, or its answer if that was waited for and came."""
    run_id = made.get("answer_run_id")
    if not run_id or not wait:
        show(how, name, made)
        return
    run = _rested(server, run_id, wait)
    if run["waiting_for"] in PEOPLE:
        raise PersonNeeded(f"Run {run_id} waits for {run['waiting_for']}.", run=run_id)
    if run["state"] not in CLOSED:
        output.say(f"There is no answer within {wait:g} s; it goes on as run {run_id}.")
    if run["error"]:
        output.say(f"{run['error']['code']}: {run['error']['message']}")
    if run["answer"]:
        made = server.get("sessions", made["session_id"], "messages", run["answer"])
    show(how, name, made)


def _rested(server: Client, run_id: str, seconds: float) -> Document:
    """The run once it is over or waits for somebody, or when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        run: Document = server.get("runs", run_id)
        left = deadline - time.monotonic()
        if run["state"] in CLOSED or run["waiting_for"] in PEOPLE or left <= 0:
            return run
        threading.Event().wait(min(left, LOOK_SECONDS))


def show(how: How, name: str, row: Document) -> None:
    """A message in the form that was asked for."""
    sentence = output.readable(f"{row['author']}: {row['content']}")
    output.show_one(how, name, row, identity=row["id"], sentence=sentence)


def _text(text: str) -> str:
    return sys.stdin.read() if text == "-" else text
