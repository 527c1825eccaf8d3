"""The bus of seed 003: which daemons there are, messages to them, and events for them."""

import logging
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import import_module
from typing import Any
from uuid import UUID

from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from sessions.core.errors import SessionNotFound
from sessions.dialects.bus import shapes
from sessions.models import Session
from streaming.services import commands

logger = logging.getLogger(__name__)

Data = dict[str, Any]
Reply = dict[str, Any]
Answer = Callable[[Principal, Data], Reply]

# Where each module is a daemon.
PACKAGE = "sessions.dialects.bus.daemons"


@dataclass(frozen=True)
class BusEvent:
    """Something that happened to a session: ``session_created`` or ``session_ended``."""

    type: str
    session_id: UUID

    @cached_property
    def data(self) -> Data:
        """What the seed tells with it: of a new session everything, of one that ended its id."""
        told: Data = {"sessionId": str(self.session_id)}
        row = Session.objects.filter(pk=self.session_id).first()
        if self.type != shapes.CREATED or row is None:
            return told
        return told | shapes.session_alone(row)


Listener = Callable[[BusEvent], None]


@dataclass(frozen=True, slots=True)
class Daemon:
    """
    One concern: the messages that it answers, and the events that it hears.

    A message whose answer waits for others is named in ``waits``, one that changes something in
    ``changes``: its refusals stand in the audit, however far it came. A listener runs after the
    transaction, in whichever process carried that out; it has to bear being called twice, or, when
    a process is killed, not at all.
    """

    name: str
    messages: Mapping[str, Answer]
    hears: Mapping[str, Listener] = field(default_factory=dict)
    waits: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()


_daemons: dict[str, Daemon] = {}


def register(daemon: Daemon) -> Daemon:
    """
    Put a daemon on the bus.

    :raises ValueError: if another has its name
    """
    if daemon.name in _daemons:
        raise ValueError(f"There is a daemon {daemon.name} already.")
    _daemons[daemon.name] = daemon
    return daemon


def unregister(name: str) -> None:
    """Take a daemon off the bus."""
    _daemons.pop(name, None)


@cache
def discover() -> None:
    """Import every daemon of ours, at the first message or event; each registers itself."""
    for module in pkgutil.iter_modules(import_module(PACKAGE).__path__, f"{PACKAGE}."):
        import_module(module.name)


def known() -> dict[str, Daemon]:
    """The daemons on the bus, by name."""
    discover()
    return dict(_daemons)


def waits(daemon: str, type_: str) -> bool:
    """Whether the answer to this message waits for others, and so needs a thread of its own."""
    found = known().get(daemon)
    return found is not None and type_ in found.waits


def send(principal: Principal, daemon: str, type_: str, data: Data) -> Reply:
    """What a daemon answers to a message; whatever is refused is an answer, too."""
    found = known().get(daemon)
    if found is None:
        return shapes.refused("Unknown daemon")
    answer = found.messages.get(type_)
    if answer is None:
        return shapes.refused("Unknown message")
    try:
        return answer(principal, data)
    except AegisError as error:
        if type_ in found.changes:
            target = str(data.get("sessionId") or "")
            name = f"{daemon}.{type_}"
            commands.kept_out(error, command=name, principal=principal, target=target)
        is_absent = isinstance(error, SessionNotFound)
        return shapes.refused("Session not found" if is_absent else error.message)


def emit(event: BusEvent) -> None:
    """Tell every daemon that listens; one that fails keeps no other from hearing it."""
    for daemon in known().values():
        listener = daemon.hears.get(event.type)
        if listener is not None:
            _tell(daemon, listener, event)


def _tell(daemon: Daemon, listener: Listener, event: BusEvent) -> None:
    try:
        listener(event)
    except Exception:  # the session is there or over, whatever becomes of this
        said = {"action": "listener_failed", "daemon": daemon.name, "event": event.type}
        logger.exception("A daemon failed to listen", extra=said)
