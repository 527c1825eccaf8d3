"""Which programs are wanted, and which launcher keeps which launch."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from aegis_project import database
from components import selectors
from components.core import launching, scopes
from components.core.errors import LaunchLost
from components.core.launching import ALIVE, State
from components.models import Component, Launch
from components.services import credentials
from components.services.credentials import Issued
from streaming import hints

ACTOR = "system:launcher"
PASS = timedelta(hours=1)
# States of a session in which it has let its components go, or has not had them yet.
FRESH = frozenset({"created", "stopped", "completed"})
# What a process has to end in when its program was removed.
GRACE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Held:
    """A launch that a launcher keeps, as its row stands."""

    id: UUID
    fence: int
    state: State
    is_wanted: bool
    is_fresh: bool
    attempt: int
    pid: int | None
    next_at: datetime | None
    grace_seconds: float
    component_id: str
    session_id: str
    topic: str


def want(session: Any) -> None:
    """
    Have the programs of a session's components run, in the transaction that starts it.

    Its state is still the one before. If it had let its components go, a process of then, which
    may not have ended yet, does not count.
    """
    is_fresh = session.state in FRESH
    rows = Component.objects.of_session(session.pk).exclude(program=None)
    for component in rows.select_related("program"):
        _want(component, is_fresh=is_fresh)
    hints.send(hints.Hint("lever", str(session.pk)))


def want_anew(component: Component) -> None:
    """Have the program of a component begin anew; a process that there is now does not count."""
    _want(component, is_fresh=True)
    hints.send(hints.Hint("lever", str(component.session_id)))


def _want(component: Component, *, is_fresh: bool) -> None:
    launch, _ = Launch.objects.get_or_create(component=component)
    row = Launch.objects.select_for_update(of=("self",)).get(pk=launch.pk)
    if is_fresh or row.state not in launching.ACTIVE:
        row.activation += 1
        row.restarts, row.next_at, row.error = 0, None, ""
    row.is_wanted, row.program = True, component.program
    row.follow("want")
    row.save()


def give_up(component: Component) -> None:
    """Want the program of a component no more, neither now nor at the next start."""
    Component.objects.filter(pk=component.pk).update(program=None)
    Launch.objects.filter(component_id=component.pk).update(is_wanted=False)
    hints.send(hints.Hint("lever", str(component.session_id)))


def unwant() -> int:
    """Want no longer what no session wants any more; returns how many."""
    rows = (
        Launch.objects.filter(is_wanted=True)
        .select_related("component__session")
        .only(
            "component__session__state",
            "component__session__start_requested_at",
            "component__session__deleted_at",
        )
    )
    stale = [row.pk for row in rows if not selectors.is_staffed(row.component.session)]
    if not stale:
        return 0
    with database.atomic():
        return Launch.objects.filter(pk__in=stale).update(is_wanted=False)


def take(*, lease_id: UUID, host: str, patience_seconds: float) -> int:
    """
    Take launches that nobody keeps for the launcher with this lease; returns how many.

    Where there may be a process, only a launcher of the same host takes it, as long as the process
    may live on without one: for ``patience_seconds`` and its grace.
    """
    now = timezone.now()
    free = Launch.objects.active().filter(Q(lease=None) | Q(lease__expires_at__lt=now))
    if not free.exists():
        return 0
    with database.atomic():
        rows = free.select_for_update(of=("self",), skip_locked=True)
        found = [
            row.pk
            for row in rows.select_related("program", "lease")
            if row.host in {"", host} or _is_gone(row, now, patience_seconds)
        ]
        taken = Launch.objects.filter(pk__in=found)
        return taken.update(lease_id=lease_id, host=host, fence=F("fence") + 1) if found else 0


def _is_gone(row: Launch, now: datetime, patience_seconds: float) -> bool:
    """Whether no process of this launch can live any more, wherever it was."""
    if row.state not in ALIVE or row.lease is None:
        return True
    return now > row.lease.expires_at + timedelta(seconds=patience_seconds + _grace(row))


def _grace(row: Launch) -> float:
    return row.program.stop_grace_seconds if row.program else GRACE_SECONDS


def held(*, lease_id: UUID) -> list[Held]:
    """What the launcher with this lease keeps, in one query."""
    rows = Launch.objects.active().filter(lease_id=lease_id)
    return [_held(row) for row in rows.select_related("program", "component")]


def look(*, launch_id: UUID, fence: int) -> Held | None:
    """A launch as its row stands; None when it was given up or another launcher took it."""
    rows = Launch.objects.active().filter(pk=launch_id, fence=fence).exclude(lease=None)
    row = rows.select_related("program", "component").first()
    return _held(row) if row else None


def _held(row: Launch) -> Held:
    component_id = str(row.component_id)
    return Held(
        id=row.pk,
        fence=row.fence,
        state=State(row.state),
        is_wanted=row.is_wanted and row.program is not None,
        is_fresh=row.served == row.activation,
        attempt=row.attempt,
        pid=row.pid,
        next_at=row.next_at,
        grace_seconds=_grace(row),
        component_id=component_id,
        session_id=str(row.component.session_id),
        topic=launching.log_topic(row.component.name, component_id),
    )


def credential() -> Issued:
    """A secret with which a launcher brings lines; it is good for an hour and for nothing else."""
    until = timezone.now() + PASS
    with database.atomic():
        return credentials.mint(
            name="launcher", scopes=[scopes.LAUNCHER], created_by=ACTOR, expires_at=until
        )


def check_kept(*, component_id: str, fence: int) -> Launch:
    """
    The launch of a component, if it is kept by a launcher with this fence.

    :raises LaunchLost: otherwise
    """
    rows = Launch.objects.select_related("component__session")
    row = rows.filter(component_id=component_id, fence=fence).first()
    if row is None:
        raise LaunchLost(component_id=component_id)
    return row
