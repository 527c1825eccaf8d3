"""Hints: something moved, look again; one may be lost, so every listener also looks by the clock."""

import asyncio
import functools
import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import uuid4

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection, transaction

from aegis_project import database

logger = logging.getLogger(__name__)

# The same name for a channel of PostgreSQL and a group of the channel layer.
CHANNEL = "aegis_hints"
# Tells this process' notifications from those of others.
PROCESS = uuid4().hex[:12]
POLL_SECONDS = 0.5
LOOK_SECONDS = 1.0
SEND_SECONDS = 1.0

Kind = Literal["ledger", "lever", "component", "credential", "run", "tool", "tool_server", "moved"]
KINDS = frozenset(get_args(Kind))


@dataclass(frozen=True, slots=True)
class Hint:
    """
    What moved, by id: a ledger, a lever, a component, a credential, a run, a tool or its server.

    ``moved`` has no id: something did, re-read whatever this process holds.
    """

    kind: Kind
    id: str = ""


Listener = Callable[[Hint], None]

_listeners: set[Listener] = set()
_arrived = threading.Condition()
# On which hints leave for the channel layer, where this process has one that lasts.
_loop: asyncio.AbstractEventLoop | None = None


def send(hint: Hint) -> None:
    """Tell every process, this one included, after the open transaction is committed."""
    if settings.ENVIRONMENT.redis_url:
        database.before_commit(_relay_later, write(hint))
    elif connection.vendor == "postgresql":
        # NOTIFY is transactional: PostgreSQL itself sends it at the commit.
        database.before_commit(_notify, write(hint))
    # What is committed stays committed, whatever becomes of a hint.
    transaction.on_commit(lambda: deliver(hint), robust=True)


def _notify(payloads: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, unnest(%s::text[]))", [CHANNEL, payloads])


def layer() -> Any:
    """The channel layer, which Channels leaves half untyped."""
    return get_channel_layer()


def leave_on(loop: asyncio.AbstractEventLoop | None) -> None:
    """Send hints to the channel layer from this loop; ``None``: from one made for each sending."""
    global _loop  # noqa: PLW0603 -- one per process, as its node
    _loop = loop


def _relay_later(payloads: list[str]) -> None:
    transaction.on_commit(functools.partial(_relay, payloads), robust=True)


def _relay(payloads: list[str]) -> None:
    if _loop is None:
        asyncio.run(_send_all(payloads))
    else:
        # Nobody waits for it: a service does not wait for the network.
        asyncio.run_coroutine_threadsafe(_send_all(payloads), _loop)


async def _send_all(payloads: list[str]) -> None:
    message = {"type": "hints", "hints": payloads}
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await layer().group_send(CHANNEL, message)
    except Exception as error:  # noqa: BLE001 -- whoever should have heard looks by the clock
        logger.info("Hints were lost: %s", error, extra={"action": "hints_lost"})


def listen(listener: Listener) -> None:
    """Call ``listener`` for each hint, in whatever thread it arrives; it must not block."""
    _listeners.add(listener)


def unlisten(listener: Listener) -> None:
    """Stop calling ``listener``."""
    _listeners.discard(listener)


def deliver(hint: Hint) -> None:
    """Hand a hint to the listeners and the waiting threads of this process."""
    for listener in tuple(_listeners):
        listener(hint)
    with _arrived:
        _arrived.notify_all()


def wait_until(is_true: Callable[[], bool], *, timeout_seconds: float) -> bool:
    """
    Wait in this thread until ``is_true``, asking again at each hint and each half second.

    The thread holds no database connection while it waits. Returns the last answer.
    """
    deadline = time.monotonic() + timeout_seconds
    while not is_true():
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        if connection.vendor != "sqlite" and not connection.in_atomic_block:
            connection.close()
        with _arrived:
            _arrived.wait(min(left, POLL_SECONDS))
    return True


def wait_for(
    is_true: Callable[[], bool], *, about: Collection[Hint], timeout_seconds: float
) -> bool:
    """
    The same, asking again at these hints alone, and each second.

    Whoever waits for one thing asks nothing while others move.
    """
    deadline, heard = time.monotonic() + timeout_seconds, threading.Event()

    def hear(hint: Hint) -> None:
        if hint in about:
            heard.set()

    listen(hear)
    try:
        while not is_true():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if connection.vendor != "sqlite" and not connection.in_atomic_block:
                connection.close()
            heard.wait(min(left, LOOK_SECONDS))
            heard.clear()
    finally:
        unlisten(hear)
    return True


def write(hint: Hint) -> str:
    """A hint as the payload of a notification."""
    return f"{PROCESS} {hint.kind} {hint.id}"


def read(payload: str) -> Hint | None:
    """The hint in a notification, or None for one that this process sent or does not know."""
    sender, kind, key = (*payload.split(" ", 2), "", "")[:3]
    if sender == PROCESS or kind not in KINDS:
        return None
    return Hint(kind=kind, id=key)  # type: ignore[arg-type]  # checked above
