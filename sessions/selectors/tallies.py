"""How the sessions in view and their components stand, in numbers."""

from collections import Counter

from aegis_project.kit.principal import Principal
from components.models import Component
from sessions.core.lifecycle import State
from sessions.selectors import lists

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
