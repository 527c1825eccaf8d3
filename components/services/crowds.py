"""Components that do the same at the same time: each is judged alone, all are written together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from aegis_project import database
from aegis_project.kit.errors import AegisError
from components.core.beats import Sign
from components.core.errors import ComponentNotFound
from components.core.events import ComponentEvent
from components.core.lifecycle import CONNECTED, State
from components.models import Component
from components.services import standing
from streaming import hints

Place = tuple[str, int]
"""A registration: the id of a component, and its fence."""

Ready = tuple[str, int, datetime | None]
"""A registration that is prepared, and when it had its first topics, if that is not written yet."""

Loss = tuple[str, int, str]
"""A registration that is over, and why."""


def ready(places: Sequence[Ready]) -> list[Exception | None]:
    """READY of components, as :func:`standing.ready` has that of one; of each, why it is refused."""
    refusals: dict[Place, AegisError | None] = {
        (key, fence): ComponentNotFound(component_id=key) for key, fence, _ in places
    }
    reached = {(key, fence): at for key, fence, at in places if at is not None}
    for session_id in _sessions(key for key, _ in refusals):
        with database.atomic():
            found = {str(one.pk): one for one in _locked(session_id, [key for key, _ in refusals])}
            moved: list[Component] = []
            for key, fence in refusals:
                if key in found:
                    refusals[key, fence] = _come(found[key], fence, moved)
            _note_ready(moved, reached)
    return [refusals[key, fence] for key, fence, _ in places]


def _come(component: Component, fence: int, moved: list[Component]) -> AegisError | None:
    try:
        if standing.becomes_ready(standing.check_current(component, fence)):
            moved.append(component)
    except AegisError as error:
        return error
    return None


def _note_ready(moved: Sequence[Component], reached: Mapping[Place, datetime]) -> None:
    new = [one for one in moved if _place(one) in reached]
    if new:
        standing.note_ready(new, subscribed_at=_last(new, reached))
    if others := [one for one in moved if _place(one) not in reached]:
        standing.note_ready(others)


def note_topics(reached: Mapping[Place, datetime]) -> None:
    """
    Registrations had their first topics then; those of one session share the moment of the last.

    One that is not current, or had some before, stays as it is.
    """
    for session_id in _sessions(key for key, _ in reached):
        with database.atomic():
            found = _locked(session_id, [key for key, _ in reached])
            new = [one for one in found if one.subscribed_at is None and _place(one) in reached]
            if new:
                rows = Component.objects.filter(pk__in=[one.pk for one in new])
                # A moment for each would cost as much as a statement for each.
                rows.update(subscribed_at=_last(new, reached))
            for component in new:
                hints.send(hints.Hint("component", str(component.pk)))


def _place(component: Component) -> Place:
    return str(component.pk), component.fence


def _last(components: Iterable[Component], reached: Mapping[Place, datetime]) -> datetime:
    return max(reached[_place(one)] for one in components)


def lose(losses: Sequence[Loss]) -> list[Exception | None]:
    """Lose components, as :func:`standing.lose` does one; none is refused."""
    held: dict[str, dict[str, int]] = defaultdict(dict)
    for key, fence, reason in losses:
        if reason == standing.SILENT or len(losses) == 1:
            standing.lose(component_id=key, fence=fence, reason=reason)
        else:
            held[reason][key] = fence
    for reason, some in held.items():
        lose_together(held=some, reason=reason)
    return [None] * len(losses)


def lose_together(*, held: Mapping[str, int], reason: str) -> None:
    """Lose those of these components, given with their fences, that are connected."""
    for session_id in _sessions(held):
        with database.atomic():
            _lose_in(session_id, held, reason)


def _lose_in(session_id: UUID, held: Mapping[str, int], reason: str) -> None:
    found = [one for one in _locked(session_id, held) if one.state in CONNECTED]
    gone = [one for one in found if one.fence == held[str(one.pk)]]
    for component in gone:
        component.follow("lose")
    if gone:
        now = timezone.now()
        # As in the loss of one: the grace counts from the first.
        Component.objects.filter(pk__in=[one.pk for one in gone]).update(
            state=State.LOST,
            lost_at=Coalesce("lost_at", Value(now)),
            is_data_connected=False,
            is_late=False,
            lease=None,
            error=reason,
            updated_at=now,
            beats=standing.marked(Sign.LOST, now),
        )
        standing.tell_all(ComponentEvent.LOST, gone, actor=standing.LIVENESS, reason=reason)


def _sessions(component_ids: Iterable[str]) -> list[UUID]:
    rows = Component.objects.filter(pk__in=set(component_ids))
    return list(rows.order_by("session_id").values_list("session_id", flat=True).distinct())


def _locked(session_id: UUID, component_ids: Iterable[str]) -> list[Component]:
    # In the order in which a session locks them when it moves.
    rows = Component.objects.of_session(session_id).filter(pk__in=set(component_ids))
    return list(rows.select_for_update(of=("self",), no_key=True))
