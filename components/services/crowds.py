"""Components that do the same at the same time: each is judged alone, all are written together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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

Place = tuple[str, int]
"""A registration: the id of a component, and its fence."""

Loss = tuple[str, int, str]
"""A registration that is over, and why."""


def ready(places: Sequence[Place]) -> list[Exception | None]:
    """READY of components, as :func:`standing.ready` has that of one; of each, why it is refused."""
    refusals: dict[Place, AegisError | None] = {
        place: ComponentNotFound(component_id=place[0]) for place in places
    }
    for session_id in _sessions(key for key, _ in places):
        with database.atomic():
            found = {str(one.pk): one for one in _locked(session_id, [key for key, _ in places])}
            moved: list[Component] = []
            for key, fence in refusals:
                if key in found:
                    refusals[key, fence] = _come(found[key], fence, moved)
            if moved:
                standing.note_ready(moved)
    return [refusals[place] for place in places]


def _come(component: Component, fence: int, moved: list[Component]) -> AegisError | None:
    try:
        if standing.becomes_ready(standing.check_current(component, fence)):
            moved.append(component)
    except AegisError as error:
        return error
    return None


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
