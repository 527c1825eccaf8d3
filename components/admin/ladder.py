"""The handshake of a component as a ladder: how far it came, and what it waits for."""

from dataclasses import dataclass
from datetime import datetime

from components.core.lifecycle import CONNECTED
from components.models import Component


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the handshake and when it was reached."""

    title: str
    at: datetime | None

    @property
    def is_done(self) -> bool:
        return self.at is not None


@dataclass(frozen=True, slots=True)
class Ladder:
    """All steps, and what is missing in one sentence."""

    rungs: list[Rung]
    says: str

    @property
    def summary(self) -> str:
        """The ladder for those who do not see it."""
        done = [rung.title for rung in self.rungs if rung.is_done]
        return f"{len(done)} of {len(self.rungs)} steps: {', '.join(done) or 'none'}"


def state_of(component: Component, *, now: datetime) -> str:
    """The state that is shown: who was held by a process that is gone is lost already."""
    lease = component.lease
    is_orphan = lease is not None and lease.expires_at <= now
    return "lost" if is_orphan and component.state in CONNECTED else component.state


def of(component: Component, *, now: datetime) -> Ladder:
    """The ladder of the current registration; nobody who is gone stands on it."""
    state = state_of(component, now=now)
    is_there = state in CONNECTED
    steps = {
        "Connected": component.registered_at,
        "Acknowledged": component.registered_at,
        "Identified": component.identified_at if component.is_data_connected else None,
        "Subscribed": _subscribed_at(component),
        "READY": component.ready_at,
        "Streaming": component.running_at if state == "running" else None,
    }
    if not component.topics and component.subscribed_at is None:
        # Who registered no topics and asked for none only publishes.
        del steps["Subscribed"]
    rungs = [Rung(title, at if is_there else None) for title, at in steps.items()]
    return Ladder(rungs, _says(component, state))


def _subscribed_at(component: Component) -> datetime | None:
    # READY subscribes the registered topics of whoever has not done so.
    if not component.is_data_connected:
        return None
    return component.subscribed_at or component.ready_at


SAYS = {
    "pending": "waits for its first connection",
    "ready": "ready, runs when the session does",
    "lost": "lost its connection",
    "failed": "did not come back",
    "stopped": "released",
}
ENDED = {"token_revoked": "token revoked"}
"""How a connection ended, where the row says it in the words of a protocol."""


def _says(component: Component, state: str) -> str:
    if state != component.state:
        return "its server is gone"
    if state in {"lost", "failed"} and component.error:
        return ENDED.get(component.error, component.error)
    if state == "registered":
        return "waits for READY" if component.is_data_connected else "waits for its data socket"
    if state == "running":
        return "receives data" if component.is_data_connected else "runs without a data socket"
    return SAYS.get(state, state)


def since(component: Component, *, now: datetime) -> datetime:
    """When the component came into its state, as far as its row says."""
    if component.lease is not None and state_of(component, now=now) != component.state:
        return component.lease.expires_at
    by_state = {
        "pending": component.created_at,
        "registered": component.registered_at,
        # Held after it ran: the row was last written then.
        "ready": None if component.running_at else component.ready_at,
        "running": component.running_at,
        "stopped": component.stopped_at,
        "lost": component.lost_at,
    }
    return by_state.get(component.state) or component.updated_at
