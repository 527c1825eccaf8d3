"""`aegis purge`: removing for good what is over for long enough."""

from typing import Annotated, Any

import typer

from sessions.management import output, progress, verbs
from sessions.management.output import How
from sessions.management.verbs import As, DryRun, Json, Quiet, Yes, verb
from sessions.selectors.purging import Weight, What, Wish
from sessions.services import purging

Days = Annotated[
    float, typer.Option("--older-than", metavar="DAYS", help="Over for so many days at least.")
]
In = Annotated[str, typer.Option("--state", help="Only completed, or only ended ones.")]
Of = Annotated[
    What, typer.Option("--what", help="Only the first events, or only the artifacts, of them.")
]
Tagged = Annotated[str, typer.Option("--tag", help="Only those with this tag.")]


@verb
def purge(
    *,
    older_than_days: Days,
    state: In = "",
    tag: Tagged = "",
    what: Of = What.SESSIONS,
    is_dry: DryRun = False,
    is_sure: Yes = False,
    as_user: As = "",
    is_json: Json = False,
    is_quiet: Quiet = False,
) -> None:
    """
    Remove sessions that are over, or something of them, for good; at most 1,000 at a time.

    Examples: aegis purge --older-than 90 --dry-run; aegis purge --older-than 30 --what artifacts
    """
    principal, how = verbs.acting(as_user), How(is_json, is_quiet)
    wish = Wish(older_than_days, state, tag, what)
    due = purging.purge(principal=principal, wish=wish, is_dry=True)
    if is_dry or not due:
        show(due, how, what=what, is_dry=is_dry)
        return
    size = sum(one.bytes for one in due)
    verbs.confirm(f"Remove {_named(due, what)}, {size} bytes, for good?", is_sure=is_sure)
    tells = progress.told()
    done = purging.purge(principal=principal, wish=wish, is_dry=False, progress=tells)
    show(done, how, what=what)


def show(found: list[Weight], how: How, *, what: What, is_dry: bool = False) -> None:
    """What goes, or would."""
    output.show(
        how,
        "purge",
        data=lambda: [document(one) for one in found],
        ids=[str(one.session.pk) for one in found],
        table=lambda: {
            "session": [one.session.key for one in found],
            "state": [output.state(one.session.state) for one in found],
            "over": [output.age(one.session.stopped_at) for one in found],
            "events": [str(one.events) for one in found],
            "records": [str(one.records) for one in found],
            "files": [str(one.files) for one in found],
            "bytes": [str(one.bytes) for one in found],
        },
        bytes=sum(one.bytes for one in found),
        dry_run=is_dry,
        what=what.value,
    )
    if not how.is_json:
        word = "would go" if is_dry else "are gone"
        size = sum(one.bytes for one in found)
        output.say(f"{_named(found, what)}, {size} bytes {word}.")


def _named(found: list[Weight], what: What) -> str:
    """How much it is, in words."""
    match what:
        case What.EVENTS:
            return f"{sum(one.events for one in found)} events of {len(found)} sessions"
        case What.ARTIFACTS:
            return f"{sum(one.files for one in found)} artifacts of {len(found)} sessions"
    return f"{len(found)} sessions"


def document(one: Weight) -> dict[str, Any]:
    """A session that goes, and what goes with it."""
    row = one.session
    return {
        "session": str(row.pk),
        "key": row.key,
        "state": row.state,
        "stopped_at": row.stopped_at,
        "events": one.events,
        "records": one.records,
        "messages": one.messages,
        "files": one.files,
        "bytes": one.bytes,
    }
