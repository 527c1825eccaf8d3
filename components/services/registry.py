"""The register of a session's components: who is expected, who came, who is ready."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from aegis_project import database
from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from components import selectors
from components.core import beats
from components.core.beats import Sign
from components.core.errors import ComponentNotFound
from components.core.events import ComponentEvent
from components.core.lifecycle import CLAIMABLE, Role, State
from components.core.messages import Register
from components.core.standing import DETACHED
from components.models import Component, Program
from components.services import standing
from streaming.core import topics
from streaming.core.errors import SessionOver, UnknownTopic


@dataclass(frozen=True, slots=True)
class Expected:
    """A component that a session counts on, as somebody declares it."""

    name: str
    role: Role = Role.OBSERVER
    required: bool = True
    topics: tuple[str, ...] = ()
    program: str = ""


def expect(*, session: Any, expected: Sequence[Expected], actor: str) -> list[Component]:
    """
    Declare expected components; a name that is there already is updated.

    One that names a program is given it; who says nothing of it keeps what it has. The caller
    holds the lock of the session.

    :raises ProgramNotFound: for a program that the session's team may not use
    """
    made = [_expect(session, one) for one in expected]
    _count(session, sum(1 for _, is_new in made if is_new))
    for component, _ in made:
        standing.tell(
            ComponentEvent.ATTACHED,
            component,
            actor=actor,
            role=component.role,
            required=component.required,
        )
    return [component for component, _ in made]


def _expect(session: Any, one: Expected) -> tuple[Component, bool]:
    check_name(one.name)
    said: dict[str, Any] = {"role": one.role.value, "required": one.required}
    if one.topics:
        said["topics"] = [topics.check_pattern(topic) for topic in one.topics]
    if one.program:
        mine = Program.objects.of_teams(frozenset({session.team_id}))
        said["program"] = mine.named(one.program)
    return Component.objects.update_or_create(session_id=session.pk, name=one.name, defaults=said)


def register(*, principal: Principal, registration: Register, lease_id: UUID | None) -> Component:
    """
    A component connects: find or make its row, and give it the next fence.

    :raises UnknownTopic: for a topic that is malformed or outside the token's patterns
    :raises SessionOver: if the session is closed or deleted
    :raises ComponentNotFound: if a component is named that this token may not be
    """
    check_topics(registration.topics, principal.patterns)
    session_id = principal.session_id or ""
    with database.atomic():
        session = selectors.locked_session(session_id)
        if not session.is_open:
            raise SessionOver(session=session.key, state=session.state)
        component = _seat(session, principal, registration)
        if component.state == State.FAILED:
            # The grace was for the loss that failed it; this is another life.
            component.lost_at = None
        component.follow("register")
        _fill(component, registration, lease_id)
        component.token_id = principal.credential_id
        component.save()
        standing.tell(
            ComponentEvent.REGISTERED,
            component,
            actor=f"component:{component.name}",
            role=component.role,
            topics=component.topics,
            fence=component.fence,
        )
    return component


def _seat(session: Any, principal: Principal, registration: Register) -> Component:
    wanted = registration.component_id or principal.component_id
    if principal.component_id and wanted != principal.component_id:
        raise ComponentNotFound(component_id=wanted)
    if wanted:
        return _own(session.pk, wanted)
    rows = Component.objects.of_session(session.pk).select_for_update(of=("self",), no_key=True)
    vacant = rows.filter(state__in=[state.value for state in CLAIMABLE])
    if registration.name:
        found = vacant.filter(name=registration.name).first()
    else:
        found = min(vacant, key=lambda row: CLAIMABLE.index(State(row.state)), default=None)
    return found or _newcomer(session, registration)


def _own(session_id: UUID, component_id: str) -> Component:
    component = Component.objects.locked(component_id)
    if component.session_id != session_id:
        raise ComponentNotFound(component_id=component_id)
    return component


def _newcomer(session: Any, registration: Register) -> Component:
    taken = set(Component.objects.of_session(session.pk).values_list("name", flat=True))
    name = free_name(registration.name or f"component-{len(taken) + 1}", taken)
    _count(session, 1)
    return Component(
        session_id=session.pk,
        name=check_name(name),
        role=(registration.role or Role.OBSERVER).value,
        required=False,
    )


def _fill(component: Component, registration: Register, lease_id: UUID | None) -> None:
    now = timezone.now()
    if registration.topics:
        component.topics = list(registration.topics)
    if registration.role:
        component.role = registration.role.value
    component.capabilities = dict(registration.capabilities)
    component.proto = registration.proto.as_dict() if registration.proto else {}
    component.version = registration.version
    if component.error == DETACHED:
        # Whoever brings it back means it.
        component.error = ""
    component.fence += 1
    component.lease_id = lease_id
    component.registered_at = component.last_heartbeat_at = now
    component.beats = beats.add(component.beats, Sign.CONNECTED, now)
    component.identified_at = component.subscribed_at = None
    component.ready_at = component.running_at = component.stopped_at = None
    component.is_late = component.is_data_connected = False


def check_topics(names: Sequence[str], patterns: Sequence[str]) -> None:
    """
    Go on only if a token with these patterns may have all these topics.

    :raises UnknownTopic: naming the first that it may not have
    """
    for name in names:
        topics.check_pattern(name)
        if not topics.covers(patterns, name):
            raise UnknownTopic(topic=name)


def check_name(name: str) -> str:
    """
    The name of a component, if it is printable and of 1 to 128 characters.

    :raises ValidationFailed: otherwise
    """
    if not 0 < len(name) <= 128 or not name.isprintable() or name != name.strip():
        raise ValidationFailed("A component's name has 1 to 128 printable characters.", name=name)
    return name


def free_name(name: str, taken: set[str]) -> str:
    """The name, or the first of ``name-2``, ``name-3`` … that is not taken."""
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate


def forget(*, session: Any, components: Sequence[Component]) -> None:
    """Remove the rows of components of which nothing is here; the session's lock is held."""
    Component.objects.filter(pk__in=[one.pk for one in components]).delete()
    _count(session, -len(components))


def _count(session: Any, more: int) -> None:
    if more:
        type(session).objects.filter(pk=session.pk).update(
            component_count=F("component_count") + more
        )
