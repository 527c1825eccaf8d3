"""`aegis session start|pause|stop …`: the lever of sessions."""

from typing import Annotated, Any

import typer
from django_typer.management import Typer

from sessions.management import (
    far_sessions,
    session_options,
    verbs,
)
from sessions.management.output import How
from sessions.management.session_options import Reason, Reference, References, Timeout, Value, Wait
from sessions.management.several import Several
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, elsewhere, verb
from sessions.services import lifecycle


@verb
@elsewhere(far_sessions.lever("start"))
def start(
    session: References,
    *,
    reason: Reason = "",
    wait: Wait = None,
    timeout: Timeout = 30.0,
    dry_run: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Run sessions, at once or when their required components are ready.

    Examples: aegis session start demo --wait running --timeout 30;
    aegis session start demo nightly --dry-run
    """
    principal = verbs.acting(as_user)
    many = Several("start", principal, session, How(is_json, is_quiet))
    many.run(
        lambda row: lifecycle.start(principal=principal, session=row, reason=reason),
        is_dry=dry_run,
        wait=wait,
        timeout=timeout,
    )


@verb
@elsewhere(far_sessions.lever("pause"))
def pause(
    session: References,
    *,
    reason: Reason = "",
    wait: Wait = None,
    timeout: Timeout = 30.0,
    dry_run: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Hold sessions where they are; connections stay.

    Examples: aegis session pause demo --reason lunch;
    aegis session pause demo nightly --wait paused
    """
    principal = verbs.acting(as_user)
    many = Several("pause", principal, session, How(is_json, is_quiet))
    many.run(
        lambda row: lifecycle.pause(principal=principal, session=row, reason=reason),
        is_dry=dry_run,
        wait=wait,
        timeout=timeout,
    )


@verb
@elsewhere(far_sessions.lever("stop"))
def stop(
    session: References,
    *,
    reason: Reason = "",
    wait: Wait = None,
    timeout: Timeout = 30.0,
    dry_run: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Release the components of sessions; they can be started again.

    Examples: aegis session stop demo;
    aegis session stop demo nightly --reason 'The day is over.' --dry-run
    """
    principal = verbs.acting(as_user)
    many = Several("stop", principal, session, How(is_json, is_quiet))
    many.run(
        lambda row: lifecycle.stop(principal=principal, session=row, reason=reason),
        is_dry=dry_run,
        wait=wait,
        timeout=timeout,
    )


@verb
@elsewhere(far_sessions.lever("complete"))
def complete(
    session: Reference,
    *,
    result: Value = "null",
    reason: Reason = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Close a session with a result.

    Examples: aegis session complete demo --result '{"rows": 3}';
    aegis session complete demo --result @result.json --reason done
    """
    principal = verbs.acting(as_user)
    found = session_options.value(result, option="--result")
    many = Several("complete", principal, [session], How(is_json, is_quiet))
    many.run(
        lambda row: lifecycle.complete(
            principal=principal, session=row, result=found, reason=reason
        )
    )


@verb
@elsewhere(far_sessions.lever("fail"))
def fail(
    session: Reference,
    *,
    error: Annotated[str, typer.Option(help="What broke.")],
    reason: Reason = "",
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Say that a session broke; its connections stay.

    Examples: aegis session fail demo --error 'the feed lies';
    aegis session fail demo --error 'no prices' --reason 'seen by hand' --json
    """
    principal = verbs.acting(as_user)
    said = {"code": "SESSION_FAILED", "message": error, "details": {}}
    many = Several("fail", principal, [session], How(is_json, is_quiet))
    many.run(
        lambda row: lifecycle.fail(principal=principal, session=row, error=said, reason=reason)
    )


@verb
@elsewhere(far_sessions.lever("end"))
def end(
    session: References,
    *,
    reason: Reason = "",
    is_sure: Yes = False,
    dry_run: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Close sessions for good.

    Examples: aegis session end demo --reason done --yes; aegis session end demo nightly --dry-run
    """
    principal = verbs.acting(as_user)
    many = Several("end", principal, session, How(is_json, is_quiet))
    many.ask(is_sure=is_sure or dry_run)
    many.run(
        lambda row: lifecycle.end(principal=principal, session=row, reason=reason), is_dry=dry_run
    )


@verb
@elsewhere(far_sessions.lever("delete"))
def delete(
    session: References,
    *,
    is_sure: Yes = False,
    dry_run: DryRun = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    End sessions that are open, and hide them.

    Examples: aegis session delete demo --yes; aegis session delete demo nightly --dry-run
    """
    principal = verbs.acting(as_user)
    many = Several("delete", principal, session, How(is_json, is_quiet))
    many.ask(is_sure=is_sure or dry_run)
    many.run(lambda row: lifecycle.delete(principal=principal, session=row), is_dry=dry_run)


def add_to(app: Typer[Any, Any]) -> None:
    """Make the lever's commands verbs of a noun; resume is another word for start."""
    for command in (start, pause, stop, complete, fail, end, delete):
        app.command()(command)
    app.command("resume", help="The same as start.")(start)
