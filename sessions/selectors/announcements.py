"""Events of all sessions that somebody sees, in the order in which they were numbered."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from aegis_project.kit.principal import Principal
from sessions.selectors import sessions
from streaming.models import Event
from streaming.models.log import LEDGER


class Announcement(NamedTuple):
    """An event by its number among those of all sessions; numbers have gaps."""

    number: int
    type: str
    session_id: UUID


def newest() -> int:
    """The highest number of an event that is there; 0 where there is none."""
    return Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def behind(principal: Principal, number: int, *, types: Sequence[str]) -> list[Announcement]:
    """
    Events of these types with a higher number, of sessions of the principal, deleted ones too.

    A transaction that began earlier may end later: its events then come behind higher numbers.
    """
    rows = Event.objects.filter(pk__gt=number, type__in=types, log__name=LEDGER)
    teams, bound = sessions.reach(principal)
    if teams is not None:
        rows = rows.filter(log__session__team_id__in=teams)
    if bound is not None:
        rows = rows.filter(log__session_id=bound)
    found = rows.order_by("pk").values_list("pk", "type", "log__session_id")
    return [Announcement(*one) for one in found]
