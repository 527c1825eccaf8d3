"""`aegis session clock|seek|step|speed|restart`: the clock of a historical session."""

from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.api import clock as documents
from sessions.management import clock_words, far_making, named, verbs
from sessions.management.output import How
from sessions.management.session_options import Reason, Reference, Timeout, Wait
from sessions.management.several import Several
from sessions.management.verbs import As, DryRun, Json, Quiet, elsewhere, verb
from sessions.models import Replay, Session
from sessions.selectors import clocks as reading
from sessions.selectors import sessions
from sessions.services import clocks, lifecycle
from sessions.services.clocks import Ordered
from streaming.api import codecs

Time = Annotated[
    str, typer.Argument(metavar="TIME", help="Unix milliseconds, or ISO 8601 (UTC without a zone).")
]
From = Annotated[str, typer.Option("--from", metavar="TIME", help="Where the range begins.")]
To = Annotated[str, typer.Option("--to", metavar="TIME", help="Where it ends; 0 for the end.")]
# What the command line takes for one who said nothing.
SAME = ""


@verb
@elsewhere(far_making.clock("clock"))
def clock(
    session: Reference, *, as_user: As = "", is_json: Json = False, is_quiet: Quiet = False
) -> None:
    """
    Show where the clock of a historical session stands.

    Examples: aegis session clock replay; aegis session clock replay --json
    """
    principal = verbs.acting(as_user)
    row = sessions.resolve(principal, session)
    _tell("clock", *reading.find(principal, row), how=How(is_json, is_quiet))


@verb
@elsewhere(far_making.clock("seek", to="to"))
def seek(
    session: Reference,
    to: Time,
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Set the clock to a time; whoever drives it carries it out.

    Examples: aegis session seek replay 2024-08-08T23:58:00Z;
    aegis session seek replay 1723161480000 --json
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="session.seek")
    _told("seek", clocks.seek(principal=principal, session=row, to=to), How(is_json, is_quiet))


@verb
@elsewhere(far_making.clock("step", count="count"))
def step(
    session: Reference,
    count: Annotated[int, typer.Argument(min=1, help="How many ticks.")] = 1,
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Let a paused session go for some ticks of its clock, then pause it again.

    Examples: aegis session step replay 10; aegis session step replay
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="session.step")
    done = clocks.step(principal=principal, session=row, count=count)
    _told("step", done, How(is_json, is_quiet))


@verb
@elsewhere(far_making.clock("speed", times="speed"))
def speed(
    session: Reference,
    times: Annotated[float, typer.Argument(min=0, max=100, help="0.25 to 100; 0: no limit.")],
    *,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Let the clock go so many times as fast as real time, from now on.

    Examples: aegis session speed replay 10; aegis session speed replay 0
    """
    principal = verbs.acting(as_user)
    row = named.session(principal, session, of="session.speed")
    done = clocks.set_speed(principal=principal, session=row, speed=times)
    _told("speed", done, How(is_json, is_quiet))


@verb
@elsewhere(far_making.restart)
def restart(
    session: Reference,
    *,
    from_: From = SAME,
    to: To = SAME,
    reason: Reason = "",
    wait: Wait = None,
    timeout: Timeout = 30.0,
    dry_run: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Begin a new activation; a historical session replays from the beginning of its range.

    Examples: aegis session restart replay --from 2024-08-08 --to 2024-08-09;
    aegis session restart demo --reason 'The feed was mended.' --wait running
    """
    principal = verbs.acting(as_user)
    one = Several("restart", principal, [session], How(is_json, is_quiet))
    one.run(
        lambda row: lifecycle.restart(
            principal=principal, session=row, from_=from_ or None, to=to or None, reason=reason
        ),
        is_dry=dry_run,
        wait=wait,
        timeout=timeout,
    )


def add_to(app: Typer[Any, Any]) -> None:
    """Make the clock's commands verbs of a noun."""
    for command in (clock, seek, step, speed, restart):
        app.command()(command)


def _told(name: str, done: Ordered, how: How) -> None:
    _tell(name, done.session, done.replay, how=how)


def _tell(name: str, row: Session, replay: Replay, *, how: How) -> None:
    found = codecs.show(documents.document(row, replay))
    clock_words.tell(name, found, key=row.key, how=how)
