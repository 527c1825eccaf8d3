"""`aegis doctor`: whether this installation is sound, and every setting it has."""

from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer

from aegis_project import health
from aegis_project.health import State
from sessions import checks  # noqa: F401 -- it registers its checks
from sessions.management import output
from sessions.management.output import How, Misused
from sessions.management.verbs import Exit, Json, Quiet, verb

Only = Annotated[str, typer.Option(metavar="CHECK,...", help="These checks alone.")]
Settings = Annotated[bool, typer.Option("--settings", help="List every setting instead.")]


@verb
def doctor(
    *,
    lists_settings: Settings = False,
    only: Only = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Check this installation; exit 9 when something is wrong, with what to do about it.

    Examples: aegis doctor --json; aegis doctor --only database,clock
    """
    how = How(is_json, is_quiet)
    if lists_settings:
        settings(how)
        return
    found = health.examine(_names(only))
    output.show(
        how,
        "doctor",
        data=lambda: [asdict(one) for one in found],
        ids=[one.check for one in found if one.state is State.ERROR],
        table=lambda: {
            "check": [one.check for one in found],
            "state": [one.state.value for one in found],
            "found": [one.said for one in found],
            "what to do": [one.fix for one in found],
        },
    )
    counts = Counter(one.state.value for one in found)
    output.say(", ".join(f"{counts[one]} {one.value}" for one in State if counts[one]))
    if counts[State.ERROR]:
        raise typer.Exit(Exit.CHECK_FAILED)


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
