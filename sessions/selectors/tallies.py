"""How the sessions in view and their components stand, in numbers."""

from collections import Counter

from django.db.models import Count

from aegis_project.kit.principal import Principal
from components.models import Component
from sessions.core.lifecycle import State
from sessions.selectors import lists

# Kind, state, and how many there are.
Tally = tuple[str, str, int]

AT_WORK = (State.RUNNING.value, State.FAILED.value)


def by_state(principal: Principal) -> tuple[Counter[str], Counter[str]]:
    """
    How many sessions, and how many components of those at work, are in each state.

    :raises PermissionDenied: without the scope sessions:read
    """
    rows = lists.readable(principal)
    components = Component.objects.filter(session__in=rows.filter(state__in=AT_WORK))
    sessions = rows.order_by().values_list("state", flat=True)
    return Counter(sessions), Counter(components.order_by().values_list("state", flat=True))


def by_kind_and_state(principal: Principal) -> list[Tally]:
    """
    How many sessions there are of each kind in each state, as far as there are any.

    :raises PermissionDenied: without the scope sessions:read
    """
    rows = lists.readable(principal).order_by().values_list("kind", "state")
    return list(rows.annotate(count=Count("pk")))
