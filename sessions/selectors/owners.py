"""Whose sessions are, and whose they can be."""

from collections.abc import Collection

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from sessions.models import Session

SUGGESTED = 50


def name(session: Session) -> str:
    """Whose a session is: the name of a person, or what it was told."""
    return session.owner.get_username() if session.owner else session.owner_label


def possible(teams: Collection[int]) -> QuerySet[User]:
    """The people of these teams, and who is of all."""
    people = User.objects.filter(Q(groups__in=teams) | Q(is_superuser=True), is_active=True)
    return people.distinct().order_by("username")


def suggested(teams: Collection[int]) -> list[str]:
    """The first fifty of their names."""
    return list(possible(teams).values_list("username", flat=True)[:SUGGESTED])
