"""`aegis message`: the conversation of a session."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from django_typer.management import Typer

from aegis_project.kit.principal import Principal
from sessions.api import message_documents as documents
from sessions.core.conversation import Admission
from sessions.management import output, verbs
from sessions.management.output import How
from sessions.management.session_options import Reference
from sessions.management.verbs import As, Json, Misused, Quiet, verb
from sessions.models import Message, Run, Session
from sessions.selectors import history, sessions
from sessions.selectors.history import Entry
from sessions.services import attachments, conversation
from sessions.services.conversation import Said, Utterance
from streaming import hints
from streaming.api import codecs

app: Typer[..., Any] = Typer(help="Messages: read a conversation and say something.")

WIDTH = 100
Id = Annotated[str, typer.Argument(metavar="MESSAGE", help="Its id.")]
Content = Annotated[str, typer.Argument(metavar="TEXT", help="What is said; - reads it.")]
Wait = Annotated[float, typer.Option(min=0, max=3600, help="Seconds to wait for the answer.")]


@app.command("list")
@verb
def several(
    session: Reference,
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    before: Annotated[int, typer.Option(min=0, help="Only those ahead of this place.")] = 0,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    List the newest messages of a conversation, in their order.

    Example: aegis message list demo --limit 10
    """
    row = _read(verbs.acting(as_user), session)
    found = history.page(row, limit=limit, before=before or None)
    output.show(
        How(is_json, is_quiet),
        "message.list",
        data=lambda: [codecs.show(documents.document(one)) for one in found.entries],
        ids=[str(one.message.pk) for one in found.entries],
        table=lambda: table(found.entries),
        has_more=found.has_more,
    )


@app.command()
@verb
def say(
    session: Reference,
    text: Content,
    *,
    agent: Annotated[str, typer.Option(help="Another agent than the session's.")] = "",
    admission: Annotated[
        Admission | None, typer.Option(help="What becomes of it while the agent works.")
    ] = None,
    attach: Annotated[list[Path], typer.Option(help="A file to give with it.")] = [],  # noqa: B006 -- typer reads it
    answer: Annotated[bool, typer.Option(help="Let the agent answer.")] = True,
    wait: Wait = 0,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Say something in a session.

    Example: aegis message say demo 'What happened?' --wait 60
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session)
    draft = Utterance(
        content=_text(text),
        agent=agent,
        admission=admission,
        attachments=[_upload(principal, row, one) for one in attach],
        answers=None if answer else False,
    )
    said = conversation.say(principal=principal, session=row, draft=draft)
    _tell(How(is_json, is_quiet), "message.say", said, wait=wait)


@app.command()
@verb
def edit(
    session: Reference,
    message: Id,
    text: Content,
    *,
    wait: Wait = 0,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Say a message differently, in a branch that is answered anew.

    Example: aegis message edit demo 5f0c… 'What happened today?'
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session)
    said = conversation.edit(principal=principal, session=row, message=message, content=_text(text))
    _tell(How(is_json, is_quiet), "message.edit", said, wait=wait)


@app.command()
@verb
def choose(
    session: Reference,
    message: Id,
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Go back to the branch that a message is on.

    Example: aegis message choose demo 5f0c…
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session)
    found = conversation.choose(principal=principal, session=row, message=message)
    _show(How(is_json, is_quiet), "message.choose", found)


def table(entries: Sequence[Entry]) -> dict[str, list[str]]:
    """The columns of a list of messages."""
    rows = [one.message for one in entries]
    return {
        "PLACE": [str(row.place) for row in rows],
        "MESSAGE": [str(row.pk) for row in rows],
        "ROLE": [row.role for row in rows],
        "AUTHOR": [row.author for row in rows],
        "AGE": [output.age(row.created_at) for row in rows],
        "CONTENT": [" ".join(row.content[: WIDTH * 2].split())[:WIDTH] for row in rows],
    }


def _tell(how: How, name: str, said: Said, *, wait: float) -> None:
    """The message that was said, or its answer if that was waited for and came."""
    run = said.run
    if run is None or not wait:
        _show(how, name, said.message, run=run)
        return
    over = Run.objects.filter(pk=run.pk).exclude(ended_at=None)
    if not hints.wait_until(over.exists, timeout_seconds=wait):
        output.say(f"There is no answer within {wait:g} s; it goes on as run {run.pk}.")
    run.refresh_from_db()
    if run.error:
        output.say(f"{run.error['code']}: {run.error['message']}")
    _show(how, name, run.answer or said.message, run=run)


def _show(how: How, name: str, message: Message, *, run: Run | None = None) -> None:
    [entry] = history.entries([message])
    data = codecs.show(documents.document(entry, run=run.pk if run else None))
    sentence = _readable(f"{message.author}: {message.content}")
    output.show_one(how, name, data, identity=str(message.pk), sentence=sentence)


def _readable(text: str) -> str:
    # What came from outside may not move the cursor, but to the next line.
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "�" for sign in text)


def _read(principal: Principal, session: str) -> Session:
    return history.readable(principal, str(sessions.resolve(principal, session).pk))


def _text(text: str) -> str:
    return sys.stdin.read() if text == "-" else text


def _upload(principal: Principal, session: Session, path: Path) -> UUID:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Misused(f"{path} cannot be read: {error.strerror}.") from None
    made = attachments.upload(
        principal=principal, session=session, filename=path.name, content=content
    )
    return made.pk
