"""Reading sessions: who sees which, and what a reference means."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from aegis_project.kit.principal import Principal
from components.models import Component
from sessions.core import conditions, keys
from sessions.core.conditions import Condition, Participant, Situation
from sessions.core.errors import AmbiguousReference, SessionNotFound
from sessions.core.lifecycle import Mode, State
from sessions.models import Session

SHORTEST_PREFIX = 4
HEX_DIGITS = set("0123456789abcdef")


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
    rows = Session.objects.present()
    if principal.session_id is not None:
        rows = rows.filter(pk=principal.session_id)
    if principal.teams is None:
        return rows
    return rows.filter(team_id__in=principal.teams)


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
    uuid = keys.as_uuid(name)
    by_id = Q(pk=uuid) if uuid else Q()
    return _only(visible(principal).filter(by_id | Q(key=name)), name)


def resolve(principal: Principal, reference: str) -> Session:
    """
    The session by id, key, unique id prefix or name, as people and seed 000 refer to it.

    :raises SessionNotFound: if none answers
    :raises AmbiguousReference: if several do
    """
    try:
        return find(principal, reference)
    except SessionNotFound:
        rows = visible(principal)
    if "\x00" in reference:
        raise SessionNotFound(session=reference)
    if _is_prefix(reference):
        by_prefix = rows.filter(pk__gte=_pad(reference, "0"), pk__lte=_pad(reference, "f"))
        if by_prefix.exists():
            return _only(by_prefix, reference)
    return _only(rows.filter(name=reference), reference)


def _only(rows: QuerySet[Session], reference: str) -> Session:
    found = list(rows.select_related("team", "owner").order_by("-created_at")[:2])
    if not found or not reference:
        raise SessionNotFound(session=reference)
    if len(found) > 1:
        raise AmbiguousReference(
            f"More than one session answers to {reference}; use the id.", session=reference
        )
    return found[0]


def _is_prefix(text: str) -> bool:
    digits = text.replace("-", "").lower()
    return SHORTEST_PREFIX <= len(digits) <= 32 and set(digits) <= HEX_DIGITS


def _pad(prefix: str, digit: str) -> UUID:
    return UUID(prefix.replace("-", "").ljust(32, digit))


def view(session: Session, *, now: datetime) -> View:
    """One session with its participants and conditions."""
    return views([session], now=now)[0]


def views(sessions: Iterable[Session], *, now: datetime) -> list[View]:
    """Sessions with their participants and conditions, in one more query for all of them."""
    rows = list(sessions)
    participants: dict[UUID, list[Participant]] = defaultdict(list)
    found = Component.objects.filter(session__in=[row.pk for row in rows]).order_by("created_at")
    for pk, name, state, required in found.values_list("session_id", "name", "state", "required"):
        participants[pk].append(Participant(name=name, state=state, required=required))
    return [_view(row, tuple(participants[row.pk]), now) for row in rows]


def _view(session: Session, participants: tuple[Participant, ...], now: datetime) -> View:
    situation = Situation(
        state=State(session.state),
        mode=Mode(session.mode),
        is_starting=session.is_starting,
        participants=participants,
        last_activity_at=session.last_activity_at,
        idle_after=idle_limit(session),
    )
    return View(session, participants, conditions.derive(situation, now=now))


def idle_limit(session: Session) -> timedelta | None:
    """After how long without work the session counts as stale, or None for never."""
    minutes = session.config.get("idle_minutes", settings.ENVIRONMENT.session_idle_minutes)
    is_number = isinstance(minutes, int | float) and not isinstance(minutes, bool)
    return timedelta(minutes=minutes) if is_number and minutes > 0 else None
