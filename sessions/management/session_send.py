"""`aegis session send`: a turn of a conversation, with the answer as it is said."""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.core.run_log import Text
from sessions.core.runs import PEOPLE
from sessions.management import far_messages, named, output, verbs
from sessions.management.aegis_message import Content, show, spoken
from sessions.management.client import Client
from sessions.management.output import How
from sessions.management.session_options import Reference
from sessions.management.verbs import (
    As,
    Json,
    OutOfReach,
    PersonNeeded,
    Quiet,
    TimedOut,
    elsewhere,
    verb,
)
from sessions.models import Run
from sessions.selectors import run_stream
from sessions.services import conversation
from sessions.services.conversation import Utterance
from streaming import hints

NAME = "session.send"
LOOK_SECONDS = 1.0
Agent = Annotated[str, typer.Option(help="Another agent than the session's.")]
Follow = Annotated[bool, typer.Option("--follow", help="Print the answer as it is said.")]
Longest = Annotated[
    float, typer.Option(min=0, max=86_400, help="With --follow, seconds to wait at most.")
]


def _far(
    server: Client,
    *,
    session: str,
    text: str,
    agent: str,
    follow: bool,
    timeout: float,
    is_json: bool,
    is_quiet: bool,
) -> None:
    how = How(is_json, is_quiet)
    body = {"content": spoken(text)} | ({"agent": agent} if agent else {})
    made = server.send("POST", "sessions", session, "messages", body=body)
    run_id = made.get("answer_run_id")
    if not (follow and run_id):
        far_messages.show(how, NAME, made)
        return
    _print(how, _heard(server, run_id, timeout))
    run = server.get("runs", run_id)
    _check(run_id, run["waiting_for"], run["error"])
    if run["answer"]:
        made = server.get("sessions", made["session_id"], "messages", run["answer"])
    if is_json or is_quiet:
        far_messages.show(how, NAME, made)


def _heard(server: Client, run_id: str, seconds: float) -> Iterator[str]:
    """What a run says there, until it is over or waits for somebody."""
    deadline, word = time.monotonic() + seconds, ""
    with server.asked("GET", ["runs", run_id, "stream"]) as response:
        for line in response:
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            if name == "event":
                word = value
            elif name == "data":
                said = json.loads(value)
                if word == "content_delta":
                    yield said["delta"]
                if word == "status" and said["waiting_for"] in PEOPLE:
                    return
            if time.monotonic() >= deadline:
                raise _late(run_id, seconds)


@verb
@elsewhere(_far)
def send(
    session: Reference,
    text: Content,
    *,
    agent: Agent = "",
    follow: Follow = False,
    timeout: Longest = 600.0,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Say something to the agent of a session; with --follow its answer is printed as it is said.

    It ends with 10 when the agent waits for somebody, and with 11 when its run failed.

    Examples: aegis session send demo 'What happened?' --follow;
    aegis session send demo 'And why?' --agent analyst
    """
    principal, how = verbs.acting(as_user), How(is_json, is_quiet)
    row = named.session(principal, session, of="message.create")
    draft = Utterance(content=spoken(text), agent=agent)
    said = conversation.say(principal=principal, session=row, draft=draft)
    run = said.run
    if run is None or not follow:
        show(how, NAME, said.message, run=run)
        return
    _print(how, _said(run, timeout))
    _check(str(run.pk), run.waiting_for, run.error)
    if is_json or is_quiet:
        show(how, NAME, run.answer or said.message, run=run)


def _said(run: Run, seconds: float) -> Iterator[str]:
    """What a run says, until it is over or waits for somebody."""
    deadline, after = time.monotonic() + seconds, 0
    while True:
        # Before the reading, which then has all that its end has written.
        is_over = run_stream.rests(run)
        found = run_stream.behind(run, after)
        for one in found:
            after = one.seq
            if isinstance(one.entry, Text):
                yield one.entry.text
        if is_over and not found:
            run.refresh_from_db()
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise _late(str(run.pk), seconds)
        _wait(run, after, seconds=min(left, LOOK_SECONDS))


def _wait(run: Run, after: int, *, seconds: float) -> None:
    hints.wait_until(
        lambda: run_stream.is_left(run, after) or run_stream.rests(run), timeout_seconds=seconds
    )


def _late(run_id: str, seconds: float) -> TimedOut:
    return TimedOut(f"Run {run_id} is not over after {seconds:g} s; it goes on.", run=run_id)


def _print(how: How, pieces: Iterable[str]) -> None:
    """Each piece at once, for people; a document has the whole of it."""
    is_whole = True
    for piece in pieces:
        if not (how.is_json or how.is_quiet):
            typer.echo(output.readable(piece), nl=False)
            is_whole = piece.endswith("\n")
    if not is_whole:
        typer.echo()


def _check(run_id: str, waiting_for: str | None, error: Any) -> None:
    """
    Go on only if a run came to its end.

    :raises PersonNeeded: if it waits for somebody
    :raises OutOfReach: if it failed
    """
    if waiting_for in PEOPLE:
        raise PersonNeeded(f"Run {run_id} waits for {waiting_for}.", run=run_id)
    if error:
        raise OutOfReach(f"Run {run_id} failed: {error['code']}: {error['message']}", run=run_id)


def add_to(app: Typer[..., Any]) -> None:
    """Make it a verb of sessions."""
    app.command()(send)
