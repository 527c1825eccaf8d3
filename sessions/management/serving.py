"""What `aegis serve` and `aegis run` share: refusals, the home, the address, the processes."""

import contextlib
import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, connection

from aegis_project.kit import principal as principals
from components.services import credentials
from components.services.credentials import Issued
from sessions.management import address, listening, processes, servers
from sessions.management.address import Address
from sessions.management.servers import Server
from sessions.selectors import teams

logger = logging.getLogger(__name__)

# Called with the URL once it answers.
Started = Callable[[str], None]

PRINCIPAL = principals.system("serve")
# What the verbs of the command line may do that only the running process can.
SCOPES = [
    "components:read",
    "events:read",
    "sessions:read",
    "topics:publish",
    "topics:read",
]


class CannotServe(Exception):
    """Nothing was started; the first argument says why and the second what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What somebody asked to serve.

    ``is_flexible`` lets a taken port be the next free one; ``has_worker`` lets server processes
    carry out runs too.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    server: Server = Server.UVICORN
    processes: int = 1
    is_open: bool = False
    is_flexible: bool = False
    has_worker: bool = True


def serve(plan: Plan, *, beside: Callable[[], AbstractContextManager[Started]]) -> bool:
    """
    Serve until a signal says otherwise; whether all went as it should.

    ``beside`` is entered when home and port are ours and before anything is served, and left when
    everything has ended; what it gives is called with the URL once that answers.

    :raises CannotServe: before anything was started
    """
    refuse_unless_safe(plan)
    apply(plan)
    home = settings.ENVIRONMENT.home
    with contextlib.ExitStack() as stack:
        is_first = _hold(stack)
        listener = stack.enter_context(_listener(plan))
        url = listening.url_of(listener)
        on_started = stack.enter_context(beside())
        issued = stack.enter_context(_credential()) if is_first else None

        def started() -> None:
            if issued is not None:
                address.write(home, Address(url=url, pid=os.getpid(), token=issued.secret))
                stack.callback(address.remove, home)
            on_started(url)

        def give_up() -> None:
            if is_first:
                address.remove(home)

        return _run(plan, listener, started, give_up)


def _run(
    plan: Plan,
    listener: socket.socket,
    started: Callable[[], None],
    give_up: Callable[[], None],
) -> bool:
    if plan.processes > 1:
        return processes.serve(
            plan.server,
            count=plan.processes,
            listener=listener,
            on_started=started,
            give_up=give_up,
        )
    return servers.serve(
        plan.server,
        application=servers.application(),
        listener=listener,
        trusts_proxy=settings.IS_PRODUCTION,
        on_started=started,
        give_up=give_up,
    )


def refuse_unless_safe(plan: Plan) -> None:
    """
    Check what does not go together.

    :raises CannotServe: if it does not
    """
    if (plan.is_open or settings.ENVIRONMENT.open) and not listening.is_loopback(plan.host):
        raise CannotServe(
            f"--open answers without credentials, so it does not listen on {plan.host}.",
            "Leave --host out, or leave --open out and use credentials.",
        )
    if plan.processes > 1 and connection.vendor == "sqlite":
        raise CannotServe(
            "Several processes need PostgreSQL; SQLite serves one.",
            "Set AEGIS_DATABASE_URL=postgresql://… and AEGIS_REDIS_URL=redis://….",
        )
    if plan.processes > 1 and not settings.ENVIRONMENT.redis_url:
        raise CannotServe(
            "Topics in memory live in one process; several need Valkey or Redis.",
            "Set AEGIS_REDIS_URL=redis://…, or leave --processes out.",
        )


def apply(plan: Plan) -> None:
    """Make the settings of this process, and of those it starts, say what the flags say."""
    if plan.is_open:
        os.environ["AEGIS_OPEN"] = "1"
        settings.ENVIRONMENT.open = True
    if not plan.has_worker:
        os.environ["AEGIS_WORKER"] = "0"
        settings.ENVIRONMENT.worker = False


def _hold(stack: contextlib.ExitStack) -> bool:
    home = settings.ENVIRONMENT.home
    try:
        stack.enter_context(address.held(home))
    except address.HomeTaken:
        if settings.ENVIRONMENT.redis_url:
            return False
        found = address.left_behind(home)
        raise CannotServe(
            f"Aegis runs on this home already{f', at {found.url}' if found else ''}.",
            "Stop it first, or give this one its own AEGIS_HOME.",
        ) from None
    return True


@contextlib.contextmanager
def _listener(plan: Plan) -> Iterator[socket.socket]:
    bind = listening.bind_near if plan.is_flexible else listening.bind
    try:
        listener = bind(plan.host, plan.port)
    except listening.PortTaken:
        raise CannotServe(
            f"Port {plan.port} is taken by another program.",
            f"Choose another, for example --port {plan.port + 1}.",
        ) from None
    except OSError as error:
        raise CannotServe(
            f"Cannot listen on {plan.host}: {error.strerror}.", "Choose another --host."
        ) from None
    with listener:
        yield listener


@contextlib.contextmanager
def _credential() -> Iterator[Issued]:
    """The secret of the address file; one that a killed server left opens nothing any more."""
    left = address.left_behind(settings.ENVIRONMENT.home)
    row = credentials.look_up(left.token) if left else None
    if row is not None:
        credentials.revoke(principal=PRINCIPAL, credential=row.pk)
    issued = credentials.issue(
        principal=PRINCIPAL,
        # One of several servers over the same rows.
        name=f"aegis serve {uuid4()}",
        scopes=SCOPES,
        team_id=teams.default().pk,
    )
    try:
        yield issued
    finally:
        try:
            credentials.revoke(principal=PRINCIPAL, credential=issued.credential.pk)
        except DatabaseError:
            logger.warning("The address file's credential could not be revoked")
