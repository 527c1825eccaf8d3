"""`aegis doctor`: whether this installation is sound, and every setting it has."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from django.utils import timezone

from aegis_project import database, health
from aegis_project.health import Finding, State
from sessions import checks  # noqa: F401 -- it registers its checks
from sessions.management import instants, output, verbs
from sessions.management.output import How, Misused
from sessions.management.verbs import Exit, Json, Quiet, verb
from sessions.selectors import snoozes
from sessions.services import mending
from streaming.services import audit

Only = Annotated[str, typer.Option(metavar="CHECK,...", help="These checks alone.")]
Settings = Annotated[bool, typer.Option("--settings", help="List every setting instead.")]

WATCH_SECONDS = 5.0


@verb
def doctor(
    *,
    lists_settings: Settings = False,
    only: Only = "",
    mends: Annotated[
        bool, typer.Option("--fix", help="Do what is safe of it, and say what was done.")
    ] = False,
    watches: Annotated[
        bool, typer.Option("--watch", help="Look again and again; tell when something changed.")
    ] = False,
    snooze: Annotated[
        str, typer.Option(metavar="CHECK", help="Leave what this check finds alone.")
    ] = "",
    span: Annotated[str, typer.Option("--for", metavar="8h", help="How long: 8h, 7d, 4w.")] = "7d",
    reason: Annotated[str, typer.Option(help="Why it is left alone.")] = "",
    unsnooze: Annotated[
        str, typer.Option(metavar="CHECK", help="Tell again what was left alone.")
    ] = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Check this installation; exit 9 when something is wrong, with what to do about it.

    What --fix does loses nothing, and the audit says who did it.

    What --snooze leaves alone is still told, with who, why and until when.

    Examples: aegis doctor --fix; aegis doctor --only database,clock --watch;
    aegis doctor --snooze open_door --for 8h --reason 'moved on Monday'
    """
    how, names = How(is_json, is_quiet), _names(only)
    if lists_settings:
        settings(how)
        return
    if snooze or unsnooze:
        if snooze:
            _leave(snooze, span, reason)
        else:
            _wake(unsnooze)
        _show(how, snoozes.examine(_names(snooze or unsnooze)), [])
        return
    mended = _mend(snoozes.examine(names)) if mends else []
    before: list[Finding] = []
    while True:
        found = snoozes.examine(names)
        if found != before:
            _show(how, found, mended)
        if not watches:
            break
        before = found
        threading.Event().wait(WATCH_SECONDS)
    if any(one.state is State.ERROR for one in found):
        raise typer.Exit(Exit.CHECK_FAILED)


def _leave(check: str, span: str, reason: str) -> None:
    """Leave everything alone that a check finds and that is not well."""
    until = timezone.now() + instants.length(span, option="--for")
    states = {one.state for one in _found(check) if one.state is not State.OK}
    if not states:
        raise Misused(f"{check} finds nothing that could be left alone.")
    for state in sorted(states):
        mending.snooze(
            principal=verbs.acting(), item=check, state=state, reason=reason, until=until
        )


def _wake(check: str) -> None:
    """Tell everything again that a check finds."""
    states = {one.state for one in _found(check) if one.snoozed is not None}
    if not states:
        raise Misused(f"Nobody leaves alone what {check} finds.")
    for state in sorted(states):
        mending.wake(principal=verbs.acting(), item=check, state=state)


def _found(check: str) -> list[Finding]:
    return snoozes.examine(_names(check))


def _mend(found: Sequence[Finding]) -> list[str]:
    """Mend what can be; the checks that were."""
    names = health.fixable(found)
    for name in names:
        said = health.FIXES[name]()
        with database.atomic():
            audit.accepted(
                command="installation.mend",
                principal=verbs.acting(),
                session_id=None,
                target=name,
                detail={"done": said},
            )
        output.say(f"{name}: {said}")
    if not names:
        output.say("Nothing is to be done that could be done by itself.")
    return names


def _show(how: How, found: Sequence[Finding], mended: Sequence[str]) -> None:
    show(how, "doctor", found, **({"mended": mended} if mended else {}))
    if names := health.fixable(found):
        output.say(f"aegis doctor --fix --only {','.join(names)} does what can be done by itself.")


def show(how: How, name: str, found: Sequence[Finding], **meta: Any) -> None:
    """What checks found, in the form that was asked for, and how much of each kind."""
    output.show(
        how,
        name,
        data=lambda: [asdict(one) for one in found],
        ids=[one.check for one in found if one.state is State.ERROR],
        table=lambda: {
            "check": [one.check for one in found],
            "state": [one.state.value for one in found],
            "found": [one.said for one in found],
            "what to do": [_to_do(one) for one in found],
        },
        **meta,
    )
    counts = Counter(one.state.value for one in found)
    output.say(", ".join(f"{counts[one]} {one.value}" for one in State if counts[one]))


def _to_do(one: Finding) -> str:
    """What to do, and who left it alone until when."""
    if one.snoozed is None:
        return one.fix
    left = one.snoozed
    return f"{one.fix} (snoozed by {left.by} until {left.until:%Y-%m-%d %H:%M}Z: {left.reason})"


def _names(only: str) -> list[str]:
    """
    The checks that are named, commas between.

    :raises Misused: for one that there is not
    """
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in health.CHECKS]
    if unknown:
        raise Misused(f"{', '.join(unknown)} is no check; there are {', '.join(health.CHECKS)}.")
    return names


def settings(how: How) -> None:
    """Every setting, its value now and what it does."""
    found = health.listed()
    output.show(
        how,
        "doctor.settings",
        data=lambda: [asdict(one) for one in found],
        ids=[one.name for one in found],
        table=lambda: {
            "setting": [one.name for one in found],
            "now": [one.value for one in found],
            "unless set": [one.default for one in found],
            "what it does": [one.meaning for one in found],
        },
    )
