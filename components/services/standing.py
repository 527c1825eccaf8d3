"""How components stand: identified, ready, running, held, lost, finished, released."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Concat, Right
from django.utils import timezone

from aegis_project import database
from components.core import beats
from components.core.beats import Sign
from components.core.events import ComponentEvent
from components.core.lifecycle import CONNECTED, State
from components.core.messages import Fault
from components.models import Component
from streaming import hints
from streaming.core.errors import ConnectionReplaced, PartnerLost
from streaming.services import ledger

LIVENESS = "system:liveness"
# The reason of a loss that the handshake gives when no frame came for too long.
SILENT = "silent"


def identify(*, component_id: str, fence: int) -> None:
    """
    The data socket of a registration said hello.

    :raises ConnectionReplaced: if a newer registration took the place
    :raises PartnerLost: if its control socket is gone
    """
    here = dict.fromkeys(("identified_at", "updated_at"), timezone.now())
    with database.atomic():
        # Usually nobody came between, and one statement does it.
        if not _turn(component_id, fence, {"state__in": CONNECTED}, is_data_connected=True, **here):
            _current(component_id, fence)
            raise PartnerLost


def detach_data(*, component_id: str, fence: int) -> bool:
    """The data socket of a registration is gone; False when that registration is not current."""
    return _turn(component_id, fence, {"is_data_connected": True}, is_data_connected=False)


def _turn(component_id: str, fence: int, was: dict[str, Any], **becomes: Any) -> bool:
    with database.atomic():
        rows = Component.objects.filter(pk=component_id, fence=fence, **was)
        if changed := bool(rows.update(**becomes)):
            hints.send(hints.Hint("component", component_id))
    return changed


def ready(*, component_id: str, fence: int) -> Component:
    """
    The component is prepared; whether it runs is its session's decision.

    :raises ConnectionReplaced: if a newer registration took the place
    """
    with database.atomic():
        component = _current(component_id, fence)
        if becomes_ready(component):
            note_ready([component])
    return component


def becomes_ready(component: Component) -> bool:
    """Move a component to ready in memory; whether it was not."""
    before = component.state
    component.follow("ready")
    return component.state != before


def note_ready(components: Sequence[Component], *, subscribed_at: datetime | None = None) -> None:
    """
    Write what :func:`becomes_ready` moved, of one session, in the open transaction.

    With ``subscribed_at`` they had their first topics then, unless an earlier moment is written.
    """
    said = {"ready_at": timezone.now(), "lost_at": None, "error": ""}
    for component in components:
        _set(component, **said)
    more = {"subscribed_at": Coalesce("subscribed_at", Value(subscribed_at))}
    Component.objects.filter(pk__in=[one.pk for one in components]).update(
        state=State.READY, updated_at=timezone.now(), **said, **(more if subscribed_at else {})
    )
    tell_all(ComponentEvent.READY, components)


def lose(*, component_id: str, fence: int, reason: str) -> bool:
    """Note that a connected component is gone; False when another registration is current."""
    with database.atomic():
        component = Component.objects.locked(component_id)
        if component.fence != fence or component.state not in CONNECTED:
            return False
        _lose(component, reason)
    return True


def _lose(component: Component, reason: str) -> None:
    component.follow("lose")
    # The grace counts from the first loss until READY, whatever registers in between.
    now = timezone.now()
    component.lost_at = component.lost_at or now
    component.beats = beats.add(component.beats, Sign.LOST, now)
    component.is_data_connected = component.is_late = False
    component.lease = None
    component.error = reason
    component.save()
    if reason == SILENT:
        seconds = settings.ENVIRONMENT.lost_seconds
        tell(ComponentEvent.HEARTBEAT_LOST, component, actor=LIVENESS, seconds=seconds)
    tell(ComponentEvent.LOST, component, actor=LIVENESS, reason=reason)


def finish(*, component_id: str, fence: int) -> bool:
    """The component says that its work is done; False when it was released or replaced before."""
    with database.atomic():
        component = Component.objects.locked(component_id)
        if component.fence != fence or component.state == State.STOPPED:
            return False
        _change(component, "stop", **_released())
        component.save()
        tell(
            ComponentEvent.STOPPED,
            component,
            actor=f"component:{component.name}",
            reason="finished",
        )
    return True


def report(*, component_id: str, fence: int, fault: Fault) -> bool:
    """The component tells of its own error; one that is not temporary fails it."""
    with database.atomic():
        component = _current(component_id, fence)
        component.error = fault.message or fault.error
        event = ComponentEvent.REPORTED
        if not fault.temporary:
            component.follow("fail")
            event = ComponentEvent.FAILED
        component.save()
        tell(
            event,
            component,
            actor=f"component:{component.name}",
            code=fault.error,
            message=fault.message,
            reason=component.error,
        )
    return not fault.temporary


def note_late(*, component_id: str, fence: int, is_late: bool) -> None:
    """Note that a component missed a beat, or is on time again."""
    with database.atomic():
        rows = Component.objects.filter(pk=component_id, fence=fence, is_late=not is_late)
        mark = marked(Sign.LATE if is_late else Sign.HEARD, timezone.now())
        if rows.update(is_late=is_late, beats=mark) and is_late:
            component = Component.objects.get(pk=component_id)
            tell(ComponentEvent.HEARTBEAT_LATE, component, actor=LIVENESS)


def marked(sign: Sign, at: datetime) -> Any:
    """The beats of rows with one mark more, for an update of many."""
    return Right(Concat(F("beats"), Value(beats.mark(sign, at))), beats.LENGTH)


def _current(component_id: str, fence: int) -> Component:
    return check_current(Component.objects.locked(component_id), fence)


def check_current(component: Component, fence: int) -> Component:
    """
    The component, if this is its registration.

    :raises ConnectionReplaced: if a newer registration took the place
    """
    if component.fence != fence:
        raise ConnectionReplaced(component_id=str(component.pk))
    return component


# Moves of all components of a session; the caller is its lifecycle and holds its lock.


def lock(*, session_id: UUID) -> None:
    """Lock the components of a session before something is told, in the order of locks."""
    rows = Component.objects.of_session(session_id).select_for_update(of=("self",), no_key=True)
    list(rows.values_list("pk"))


def run_ready(*, session_id: UUID, actor: str) -> list[Component]:
    """Everyone who is ready runs."""
    told = ComponentEvent.RUNNING
    return _move(session_id, [State.READY], "run", told, actor, running_at=timezone.now())


def failed(*, session_id: UUID) -> list[str]:
    """The names of the required components that have failed."""
    rows = Component.objects.of_session(session_id).filter(required=True, state=State.FAILED)
    return list(rows.values_list("name", flat=True))


def hold_running(*, session_id: UUID, actor: str) -> list[Component]:
    """Everyone who runs is held: ready, with the sockets open and the gates closed."""
    return _move(session_id, [State.RUNNING], "hold", ComponentEvent.HELD, actor)


def release(*, session_id: UUID, actor: str) -> list[Component]:
    """Everyone is released, also who never came."""
    everyone = [state for state in State if state is not State.STOPPED]
    return _move(session_id, everyone, "stop", ComponentEvent.STOPPED, actor, **_released())


def dismiss(
    *, session_id: UUID, component_ids: Collection[UUID], actor: str, error: str = ""
) -> list[Component]:
    """
    These are released, and nobody waits for them any more; the others stay as they are.

    With the ``error`` that they were detached they are told not to come back.
    """
    everyone = [state for state in State if state is not State.STOPPED]
    lock(session_id=session_id)
    Component.objects.filter(pk__in=component_ids).update(required=False)
    told = ComponentEvent.STOPPED
    fields = _released() | ({"error": error} if error else {})
    return _move(session_id, everyone, "stop", told, actor, only=component_ids, **fields)


def _released() -> dict[str, Any]:
    """What becomes of the fields of a component that is let go."""
    return {
        "stopped_at": timezone.now(),
        "lost_at": None,
        "lease": None,
        "is_data_connected": False,
        "is_late": False,
    }


def _move(
    session_id: UUID,
    states: Sequence[State],
    verb: str,
    event: ComponentEvent,
    actor: str,
    only: Collection[UUID] | None = None,
    **fields: Any,
) -> list[Component]:
    rows = Component.objects.of_session(session_id).filter(state__in=[s.value for s in states])
    if only is not None:
        rows = rows.filter(pk__in=only)
    moved = list(rows.select_for_update(of=("self",), no_key=True))
    for component in moved:
        _change(component, verb, **fields)
    if moved:
        # All come to the same state, so that one statement writes them and one their events.
        Component.objects.filter(pk__in=[one.pk for one in moved]).update(
            state=moved[0].state, updated_at=timezone.now(), **fields
        )
        said = {"reason": "released"} if verb == "stop" else {}
        tell_all(event, moved, actor=actor, **said)
    return moved


def _change(component: Component, verb: str, **fields: Any) -> None:
    component.follow(verb)
    _set(component, **fields)


def _set(component: Component, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(component, name, value)


def tell(event: ComponentEvent, component: Component, *, actor: str, **data: Any) -> None:
    """Write what happened to a component to its session's ledger, in the open transaction."""
    tell_all(event, [component], actor=actor, **data)


def tell_all(
    event: ComponentEvent, moved: Sequence[Component], *, actor: str = "", **data: Any
) -> None:
    """Write what happened to components of one session, one event for each; by itself, or actor."""
    told = [
        (
            actor or f"component:{one.name}",
            event.value,
            {"component_id": str(one.pk), "name": one.name, **data},
        )
        for one in moved
    ]
    ledger.extend_by(session_id=moved[0].session_id, told=told)
    for one in moved:
        hints.send(hints.Hint("component", str(one.pk)))
