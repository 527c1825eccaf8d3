"""Making the participants of a session those of an earlier time again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from components.core.lifecycle import CONNECTED, Role
from components.models import Component, Program
from components.services import registry, standing
from components.services.registry import Expected


@dataclass(slots=True)
class Restored:
    """The names of those who were declared again, let go and forgotten, or only released."""

    restored: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)


def restore(*, session: Any, wanted: Sequence[Mapping[str, Any]], actor: str) -> Restored:
    """
    Let those be declared who were: ``wanted`` has name, role, required, topics and program of each.

    Who came since is let go: forgotten, if nothing of it is here, else released and optional. Who
    is still connected of the others stays so. The caller holds the lock of the session, and of its
    components.
    """
    found = Restored()
    rows = {row.name: row for row in _rows(session.pk)}
    known = {one["name"]: one for one in wanted}
    _let_go(session, [row for name, row in rows.items() if name not in known], found, actor=actor)
    for name, one in known.items():
        if name not in rows or _declared(rows[name]) != one:
            _declare(session, one, actor=actor)
            found.restored.append(name)
    return found


def _rows(session_id: UUID) -> list[Component]:
    rows = Component.objects.of_session(session_id).select_related("program")
    return list(rows.select_for_update(of=("self",), no_key=True))


def _declared(row: Component) -> dict[str, Any]:
    program = row.program.name if row.program else None
    said = {name: getattr(row, name) for name in ("name", "role", "required", "topics")}
    return {**said, "program": program}


def _declare(session: Any, one: Mapping[str, Any], *, actor: str) -> None:
    # A program that there is not any more is no reason not to come back.
    program = Program.objects.of_teams(frozenset({session.team_id})).filter(name=one["program"])
    expected = Expected(
        name=one["name"],
        role=Role(one["role"]),
        required=one["required"],
        topics=tuple(one["topics"]),
        program=one["program"] if one["program"] and program.exists() else "",
    )
    [row] = registry.expect(session=session, expected=[expected], actor=actor)
    gone = {} if one["program"] else {"program": None}
    Component.objects.filter(pk=row.pk).update(topics=one["topics"], **gone)


def _let_go(session: Any, newcomers: Sequence[Component], found: Restored, *, actor: str) -> None:
    here = [row for row in newcomers if row.state in CONNECTED or row.program_id is not None]
    gone = [row for row in newcomers if row not in here]
    if here:
        ids = [row.pk for row in here]
        standing.dismiss(session_id=session.pk, component_ids=ids, actor=actor)
    if gone:
        registry.forget(session=session, components=gone)
    found.released += [row.name for row in here]
    found.removed += [row.name for row in gone]
