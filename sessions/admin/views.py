"""The views of the session list: which sessions each has, and how many those are."""

from collections.abc import Callable
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from aegis_project.kit.principal import Principal
from components.core.lifecycle import CONNECTED
from components.models import Component
from sessions.core import lifecycle, periods
from sessions.selectors import sessions

GONE = ("lost", "failed")
# Beyond so many a tab says only that there are more.
MOST_COUNTED = 99


class View(NamedTuple):
    """One tab of the list; ``about`` says what its name leaves open."""

    title: str
    about: str = ""
    is_counted: bool = False


VIEWS = {
    "open": View("All open"),
    "mine": View("Mine", is_counted=True),
    "waiting": View("Waiting", "Those that wait for somebody", is_counted=True),
    "broken": View("Broken", "Failed, or with a component that is gone", is_counted=True),
    "production": View("Production running", is_counted=True),
    "closed": View("Closed today", "Closed since midnight UTC; the states find those before"),
}


def narrowing(word: str, *, user_id: int | None) -> Q:
    """The sessions of a view; all of them for a word that is none."""
    found = _NARROWINGS.get(word)
    return found(user_id) if found else Q()


def _open(_user_id: int | None) -> Q:
    # What a later Aegis calls by a word that is not known here is not hidden.
    return ~Q(state__in=lifecycle.CLOSED)


def _mine(user_id: int | None) -> Q:
    return _open(user_id) & Q(owner=user_id)


def _waiting(_user_id: int | None) -> Q:
    return Q(state__in=lifecycle.OPEN) & sessions.is_waited_for()


def _broken(_user_id: int | None) -> Q:
    return Q(state__in=lifecycle.OPEN) & (Q(state="failed") | has_gone())


def _production(_user_id: int | None) -> Q:
    return Q(environment="production", state="running")


def _closed(_user_id: int | None) -> Q:
    # Whatever moved since then was active since then, which has an index.
    since = periods.midnight(timezone.now())
    today = Q(state_changed_at__gte=since, last_activity_at__gte=since)
    return Q(state__in=lifecycle.CLOSED) & today


_NARROWINGS: dict[str, Callable[[int | None], Q]] = {
    "open": _open,
    "mine": _mine,
    "waiting": _waiting,
    "broken": _broken,
    "production": _production,
    "closed": _closed,
}


def has_gone() -> Q:
    """Whether a component of a session is lost or failed, or held by a process that is no more."""
    orphaned = Q(state__in=CONNECTED, lease__expires_at__lte=timezone.now())
    gone = Component.objects.filter(Q(state__in=GONE) | orphaned)
    return Q(Exists(gone.filter(session=OuterRef("pk"))))


def counts(principal: Principal) -> dict[str, str]:
    """How many sessions the views have that are counted; none and ``99+`` in words."""
    seen = sessions.visible(principal)
    found = {}
    for word, view in VIEWS.items():
        if view.is_counted:
            rows = seen.filter(narrowing(word, user_id=principal.user_id)).order_by()
            found[word] = _said(len(rows.values_list("pk")[: MOST_COUNTED + 1]))
    return found


def _said(count: int) -> str:
    if count > MOST_COUNTED:
        return f"{MOST_COUNTED}+"
    return str(count) if count else ""
