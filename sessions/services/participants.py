"""What is asked of one component of a session: to leave it, or to begin anew."""

from dataclasses import dataclass

from aegis_project.kit.principal import Principal
from components import selectors
from components.core.asks import Level
from components.core.errors import ProgramMissing
from components.core.events import ComponentEvent
from components.core.standing import DETACHED
from components.models import Component, ToolUse
from components.services import asks, launches, registry, standing
from sessions.selectors import sessions
from sessions.services import moving
from streaming.services.commands import Trace, command


@dataclass(frozen=True, slots=True)
class Moved:
    """A component after a command; ``is_forgotten`` says that its row is gone."""

    component: Component
    is_forgotten: bool = False

    def audit(self) -> Trace:
        row = self.component
        detail = {"name": row.name, "is_forgotten": self.is_forgotten}
        return Trace(session_id=row.session_id, target=str(row.pk), detail=detail)


@command("component.detach", scope="sessions:control")
def detach(*, principal: Principal, session: moving.Reference, component: str) -> Moved:
    """
    Take a component out of its session; a start that waited for it waits no longer.

    Who is connected, or has a process, is released and optional from then on: its sockets are
    closed as those of who may not come back, and its program is not started again. Of whom nothing
    is here the session forgets.

    :raises SessionNotFound: if the session is not there for the principal
    :raises ComponentNotFound: if it has no such component
    :raises InvalidState: if it is closed
    """
    row = moving.locked(principal, session)
    if not row.is_open:
        raise moving.illegal(row, "detach")
    standing.lock(session_id=row.pk)
    found = selectors.find(component, session_id=row.pk)
    is_here = selectors.is_here(found)
    if is_here:
        standing.dismiss(
            session_id=row.pk, component_ids=[found.pk], actor=principal.actor, error=DETACHED
        )
        launches.give_up(found)
        found.refresh_from_db()
    standing.tell(ComponentEvent.DETACHED, found, actor=principal.actor, is_forgotten=not is_here)
    if not is_here:
        registry.forget(session=row, components=[found])
    return Moved(found, is_forgotten=not is_here)


@dataclass(frozen=True, slots=True)
class Asked:
    """A component and what was asked of it; the answer comes into ``ask`` later."""

    component: Component
    ask: ToolUse
    level: str = ""

    def audit(self) -> Trace:
        row = self.component
        detail = {"name": row.name} | ({"level": self.level} if self.level else {})
        return Trace(session_id=row.session_id, target=str(row.pk), detail=detail)


@command("component.ping", scope="components:read")
def ping(*, principal: Principal, session: moving.Reference, component: str) -> Asked:
    """
    Ask a component for an answer at once.

    :raises SessionNotFound: if the session is not there for the principal
    :raises ComponentNotFound: if it has no such component
    :raises InvalidState: if it is not connected
    """
    found = selectors.find(component, session_id=sessions.find(principal, session).pk)
    return Asked(found, asks.ping(found))


@command("component.log-level", scope="sessions:control")
def log_level(
    *, principal: Principal, session: moving.Reference, component: str, level: Level
) -> Asked:
    """
    Ask a component to log as much as this.

    :raises SessionNotFound: if the session is not there for the principal
    :raises ComponentNotFound: if it has no such component
    :raises InvalidState: if it is not connected, or knows no log levels
    """
    found = selectors.find(component, session_id=sessions.find(principal, session).pk)
    return Asked(found, asks.log_level(found, level), level.value)


@command("component.restart", scope="sessions:control")
def restart(*, principal: Principal, session: moving.Reference, component: str) -> Moved:
    """
    Have the program of a component begin anew, also one that was given up.

    Its process is ended as when the session stops, and another one is started at once.

    :raises SessionNotFound: if the session is not there for the principal
    :raises ComponentNotFound: if it has no such component
    :raises InvalidState: if the session wants no programs now
    :raises ProgramMissing: if no launcher runs it
    """
    row = moving.locked(principal, session)
    found = selectors.find(component, session_id=row.pk)
    if not selectors.is_staffed(row):
        raise moving.illegal(row, "restart", f"Programs do not run while it is {row.state}.")
    if found.program is None:
        raise ProgramMissing(component=found.name)
    launches.want_anew(found)
    told = ComponentEvent.RELAUNCHED
    standing.tell(told, found, actor=principal.actor, program=found.program.name)
    return Moved(found)
