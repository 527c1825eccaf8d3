"""Reading sessions: who sees which, and what a reference means."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from components.core.lifecycle import CONNECTED
from components.core.lifecycle import State as ComponentState
from components.models import Component
from sessions.core import approvals, conditions, keys, runs
from sessions.core.conditions import Condition, Participant, Situation
from sessions.core.errors import AmbiguousReference, SessionNotFound
from sessions.core.lifecycle import Mode, State
from sessions.models import Approval, Run, Session

# Minutes; whoever waits longer waits for ever.
LONGEST_IDLE = 1_000_000_000
LOST = ComponentState.LOST.value


@dataclass(frozen=True, slots=True)
class View:
    """A session with what is derived about it."""

    session: Session
    participants: tuple[Participant, ...]
    conditions: list[Condition]

    @property
    def missing(self) -> list[str]:
        """Names of the required components that a start waits for."""
        return conditions.missing(self.participants)

    @property
    def present_count(self) -> int:
        """How many components are connected and prepared."""
        return sum(one.state in {"ready", "running"} for one in self.participants)


def visible(principal: Principal) -> QuerySet[Session]:
    """The sessions that exist for the principal."""
    return within(*reach(principal))


def reach(principal: Principal) -> tuple[tuple[int, ...] | None, UUID | None]:
    """The teams of a principal (None: all) and the one session that it is bound to."""
    teams = None if principal.teams is None else tuple(sorted(principal.teams))
    return teams, UUID(principal.session_id) if principal.session_id else None


def find(principal: Principal, reference: Session | UUID | str) -> Session:
    """
    The session by id or key, as far as the principal sees it.

    :raises SessionNotFound: if none answers, also when it is out of sight
    :raises AmbiguousReference: if the key is used in several teams of the principal
    """
    name = str(reference.pk if isinstance(reference, Session) else reference)
    if not keys.FORM.fullmatch(name):
        # No id and no key; a database may refuse to compare it at all.
        raise SessionNotFound(session=name)
    teams, bound = reach(principal)
    uuid = keys.as_uuid(name)
    found = _by_id(teams=teams, bound=bound, uuid=uuid) if uuid else []
    return _single(found or _by_key(teams=teams, bound=bound, name=name), name)


def resolve(principal: Principal, reference: str) -> Session:
    """
    The session by id, key, unique id prefix or name, as people and seed 000 refer to it.

    :raises SessionNotFound: if none answers
    :raises AmbiguousReference: if several do, with what it was taken for and how many
    """
    try:
        return find(principal, reference)
    except SessionNotFound:
        rows = visible(principal)
    if "\x00" in reference:
        raise SessionNotFound(session=reference)
    span = keys.span(reference)
    if span is not None:
        by_prefix = rows.filter(pk__gte=span[0], pk__lte=span[1])
        if by_prefix.exists():
            return _only(by_prefix, reference, by="id prefix")
    return _only(rows.filter(name=reference), reference, by="name")


def within(teams: tuple[int, ...] | None, bound: UUID | None) -> QuerySet[Session]:
    """The sessions of these teams (None: all) and, if one is named, of that id alone."""
    rows = Session.objects.present()
    if bound is not None:
        rows = rows.filter(pk=bound)
    return rows if teams is None else rows.filter(team_id__in=teams)


# Each by an index of its own: asked for both at once, SQLite reads sessions until it has two.
@Prepared
def _by_id(teams: tuple[int, ...] | None, bound: UUID | None, uuid: UUID) -> QuerySet[Session]:
    return _newest(within(teams, bound).filter(pk=uuid))


@Prepared
def _by_key(teams: tuple[int, ...] | None, bound: UUID | None, name: str) -> QuerySet[Session]:
    return _newest(within(teams, bound).filter(key=name))


def _newest(rows: QuerySet[Session]) -> QuerySet[Session]:
    return rows.select_related("team", "owner").order_by("-created_at")[:2]


def _only(rows: QuerySet[Session], reference: str, *, by: str) -> Session:
    found = list(_newest(rows))
    if len(found) > 1 and reference:
        raise _ambiguous(reference, by=by, matches=rows.count())
    return _single(found, reference)


def _single(found: list[Session], reference: str) -> Session:
    if not found or not reference:
        raise SessionNotFound(session=reference)
    if len(found) > 1:
        raise _ambiguous(reference, by="key")
    return found[0]


def _ambiguous(reference: str, **how: Any) -> AmbiguousReference:
    return AmbiguousReference(
        f"More than one session answers to {reference}; use the id.", session=reference, **how
    )


def view(session: Session, *, now: datetime) -> View:
    """One session with its participants and conditions."""
    return views([session], now=now)[0]


def view_alone(session: Session, *, now: datetime) -> View:
    """A session that was made just now and that nobody takes part in; nobody has to be asked."""
    default = settings.ENVIRONMENT.session_idle_minutes
    return _view(session, (), now, default, is_waited_for=False)


def views(sessions: Iterable[Session], *, now: datetime) -> list[View]:
    """Sessions with their participants and conditions, in two more queries for all of them."""
    rows = list(sessions)
    ids = tuple(row.pk for row in rows)
    participants: dict[UUID, list[Participant]] = defaultdict(list)
    for pk, name, state, required, held in _participants(ids=ids):
        standing = LOST if is_orphan(state, held, now=now) else state
        participants[pk].append(Participant(name=name, state=standing, required=required))
    waited_for = {pk for (pk,) in _waited_for(ids=ids)}
    # Asked once for all: a setting costs more than what it is asked for.
    default = settings.ENVIRONMENT.session_idle_minutes
    return [
        _view(row, tuple(participants[row.pk]), now, default, is_waited_for=row.pk in waited_for)
        for row in rows
    ]


Row = tuple[UUID, str, str, bool, datetime | None]


@Prepared
def _participants(ids: tuple[UUID, ...]) -> QuerySet[Component, Row]:
    rows = Component.objects.filter(session__in=ids).order_by("created_at")
    return rows.values_list("session_id", "name", "state", "required", "lease__expires_at")


@Prepared
def _waited_for(ids: tuple[UUID, ...]) -> QuerySet[Session, tuple[UUID]]:
    """Those that wait for somebody."""
    return waiting(Session.objects.filter(pk__in=ids)).values_list("pk")


def waiting(rows: QuerySet[Session]) -> QuerySet[Session]:
    """Those in which a decision is open, or a run waits for somebody."""
    return rows.filter(is_waited_for())


def is_waited_for() -> Q:
    """Whether a decision is open in a session, or a run waits for somebody."""
    decision = Approval.objects.filter(session=OuterRef("pk"), state=approvals.State.PENDING.value)
    run = Run.objects.filter(session=OuterRef("pk"), state=runs.State.WAITING.value)
    return Q(Exists(decision) | Exists(run))


def is_orphan(state: str, held_until: datetime | None, *, now: datetime) -> bool:
    """Whether the process that held a component is gone: it is missed before anybody judges."""
    return state in CONNECTED and held_until is not None and held_until <= now


def _view(
    session: Session,
    participants: tuple[Participant, ...],
    now: datetime,
    idle_minutes: int,
    *,
    is_waited_for: bool,
) -> View:
    if not session.is_known:
        return View(session, participants, [])
    situation = Situation(
        state=State(session.state),
        mode=Mode(session.mode),
        is_starting=session.is_starting,
        participants=participants,
        last_activity_at=session.last_activity_at,
        idle_after=_idle_after(session, idle_minutes),
        is_waited_for=is_waited_for,
    )
    return View(session, participants, conditions.derive(situation, now=now))


def idle_limit(session: Session) -> timedelta | None:
    """After how long without work the session counts as stale, or None for never."""
    return _idle_after(session, settings.ENVIRONMENT.session_idle_minutes)


def _idle_after(session: Session, default: int) -> timedelta | None:
    minutes = session.config.get("idle_minutes")
    if minutes is None:
        minutes = default
    is_number = isinstance(minutes, int | float) and not isinstance(minutes, bool)
    return timedelta(minutes=minutes) if is_number and 0 < minutes < LONGEST_IDLE else None
