"""`aegis message`: the conversation of a session."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import typer
from django.db.models import Q
from django_typer.management import Typer

from aegis_project.kit.principal import Principal
from sessions.api import message_documents as documents
from sessions.api import transcripts
from sessions.core.conversation import Admission
from sessions.core.runs import PEOPLE
from sessions.core.transcripts import FORMATS
from sessions.management import far_messages, named, output, verbs
from sessions.management.output import How, Misused
from sessions.management.session_options import Reference
from sessions.management.verbs import As, Json, PersonNeeded, Quiet, elsewhere, verb
from sessions.models import Message, Run, Session
from sessions.selectors import beginnings, history, run_stream, sessions
from sessions.selectors import transcripts as reading
from sessions.selectors.history import Entry
from sessions.services import attachments, conversation
from sessions.services.conversation import Said, Utterance
from streaming import hints
from streaming.api import codecs

app: Typer[..., Any] = Typer(help="Messages: read a conversation and say something.")

WIDTH = 100
Id = Annotated[str, typer.Argument(metavar="MESSAGE", help="Its id, or the beginning of it.")]
Content = Annotated[str, typer.Argument(metavar="TEXT", help="What is said; - reads it.")]
Wait = Annotated[float, typer.Option(min=0, max=3600, help="Seconds to wait for the answer.")]


@app.command("list")
@verb
@elsewhere(far_messages.several)
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

    Examples: aegis message list demo --limit 10; aegis message list demo --before 40 --json
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
@elsewhere(far_messages.say)
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

    Examples: aegis message say demo 'What happened?' --wait 60;
    aegis message say demo 'Look at this.' --attach prices.csv --no-answer
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="message.create")
    draft = Utterance(
        content=spoken(text),
        agent=agent,
        admission=admission,
        attachments=[_upload(principal, row, one) for one in attach],
        answers=None if answer else False,
    )
    said = conversation.say(principal=principal, session=row, draft=draft)
    _tell(How(is_json, is_quiet), "message.say", said, wait=wait)


@app.command()
@verb
@elsewhere(far_messages.edit)
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

    Examples: aegis message edit demo 5f0c… 'What happened today?';
    aegis message edit demo 5f0c… 'And yesterday?' --wait 60
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="message.edit")
    one = beginnings.message(row, message)
    said = conversation.edit(principal=principal, session=row, message=one, content=spoken(text))
    _tell(How(is_json, is_quiet), "message.edit", said, wait=wait)


@app.command()
@verb
@elsewhere(far_messages.choose)
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

    Examples: aegis message choose demo 5f0c…; aegis message choose demo 5f0c… --json
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="message.choose")
    found = conversation.choose(
        principal=principal, session=row, message=beginnings.message(row, message)
    )
    show(How(is_json, is_quiet), "message.choose", found)


@app.command()
@verb
@elsewhere(far_messages.export)
def export(
    session: Reference,
    *,
    form: Annotated[
        Literal["json", "markdown", "text"], typer.Option("--format", help="Which kind of file.")
    ] = "markdown",
    file: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; else standard output.")
    ] = None,
    as_user: As = "",
) -> None:
    """
    Write the conversation from its beginning to its end.

    Examples: aegis message export demo --format markdown -o demo.md;
    aegis message export demo --format json > demo.json
    """
    row = _read(verbs.acting(as_user), session)
    writer, count = FORMATS[form](), 0
    try:
        target = file.open("w", encoding="utf-8") if file else nullcontext(sys.stdout)
        with target as out:
            out.write(writer.begin(transcripts.head(row)))
            for some in reading.batches(row, Q()):
                out.write(writer.lines(transcripts.shown(some)))
                count += len(some)
                if file and output.is_terminal():
                    output.say(f"{count} of {row.message_count} messages")
            out.write(writer.end())
    except OSError as error:
        raise Misused(f"{file} cannot be written: {error.strerror}.") from None
    output.say(f"{count} messages")


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
        show(how, name, said.message, run=run)
        return
    if not hints.wait_until(lambda: run_stream.rests(run), timeout_seconds=wait):
        output.say(f"There is no answer within {wait:g} s; it goes on as run {run.pk}.")
    run.refresh_from_db()
    if run.waiting_for in PEOPLE:
        raise PersonNeeded(f"Run {run.pk} waits for {run.waiting_for}.", run=str(run.pk))
    if run.error:
        output.say(f"{run.error['code']}: {run.error['message']}")
    show(how, name, run.answer or said.message, run=run)


def show(how: How, name: str, message: Message, *, run: Run | None = None) -> None:
    """A message in the form that was asked for."""
    [entry] = history.entries([message])
    data = codecs.show(documents.document(entry, run=run.pk if run else None))
    sentence = output.readable(f"{message.author}: {message.content}")
    output.show_one(how, name, data, identity=str(message.pk), sentence=sentence)


def _read(principal: Principal, session: str) -> Session:
    return history.readable(principal, str(sessions.resolve(principal, session).pk))


def spoken(text: str) -> str:
    """What is said: the words, or for ``-`` what standard input has."""
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
