"""What servers counted in the last hour: slow statements, lost records."""

from collections.abc import Iterator
from uuid import UUID

from django.conf import settings

from aegis_project.health import Finding, State, check
from components.models import Component
from streaming.selectors import strains
from streaming.selectors.strains import Strained

NAMED = 3
# Now and then one is slow, while a backup is made or a machine is busy.
FEW = 10


@check
def slow_statements() -> Iterator[Finding]:
    """Whether the database took long for what servers asked of it."""
    limit = settings.ENVIRONMENT.slow_statement_ms
    if not limit:
        said = "Nobody counts them."
        yield Finding("slow_statements", State.NOTICE, said, "Set AEGIS_SLOW_STATEMENT_MS.")
        return
    found = strains.statements()
    count = sum(one.count for one in found)
    if not count:
        said = f"No statement of a server took {limit:g} ms in the last hour."
        yield Finding("slow_statements", State.OK, said)
        return
    worst = found[0]
    said = (
        f"{_times(count, 'statement')} took {limit:g} ms or more in the last hour; the slowest "
        f"{worst.worst:.0f} ms: {worst.subject}"
    )
    fix = "Look at what else the machine of the database does, and at its disk; EXPLAIN says more."
    state = State.NOTICE if count < FEW else State.WARNING
    yield Finding("slow_statements", state, said, fix)


@check
def dropped_records() -> Iterator[Finding]:
    """Whether subscribers lost records because they were too late for them."""
    found = strains.losses()
    count = sum(one.count for one in found)
    if not count:
        said = "No subscriber lost a record in the last hour."
        yield Finding("dropped_records", State.OK, said)
        return
    named = _names(found[:NAMED])
    more = ", …" if len(found) > NAMED else ""
    said = f"Subscribers lost {_times(count, 'record')} in the last hour: {', '.join(named)}{more}."
    first = next((one for one in found if one.session), None)
    look = (
        f"aegis topic lag {first.subject} --session {first.session}"
        if first
        else "aegis topic list"
    )
    fix = f"{look} shows who is behind; give the topic more room in its rule, or a policy for it."
    yield Finding("dropped_records", State.WARNING, said, fix)


def _names(found: list[Strained]) -> list[str]:
    ids = {one.who for one in found if _is_id(one.who)}
    known = {str(pk): name for pk, name in _components(ids)}
    return [
        f"{known.get(one.who) or one.who or 'several'} {one.count} of {one.subject}"
        for one in found
    ]


def _components(ids: set[str]) -> Iterator[tuple[UUID, str]]:
    yield from Component.objects.filter(pk__in=ids).values_list("pk", "name")


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _times(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
