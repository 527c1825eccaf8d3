"""Which sessions a list shall show."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from aegis_project.kit.errors import ValidationFailed
from sessions.core.dialects import CONVERSATIONS, conversation_states
from sessions.core.lifecycle import Environment, Kind, Mode, State
from sessions.models import Session
from sessions.selectors import lists, tags


class Words(django_filters.BaseInFilter, django_filters.ChoiceFilter):  # type: ignore[misc]
    """One or more words of a list, with commas between."""


def words(kind: type[State | Kind | Mode | Environment], text: str) -> Words:
    return Words(
        choices=[(word.value, word.value) for word in kind], lookup_expr="in", help_text=text
    )


class SessionFilter(django_filters.FilterSet):  # type: ignore[misc]
    """The filters of the list of sessions."""

    state = words(State, "States, with commas between.")
    status = Words(
        choices=[(word, word) for word in dict.fromkeys(CONVERSATIONS.values())],
        method="reading",
        help_text="Words of seed 004 for states, with commas between.",
    )
    kind = words(Kind, "Kinds, with commas between.")
    mode = words(Mode, "Modes, with commas between.")
    environment = words(Environment, "Environments, with commas between.")
    key = django_filters.CharFilter(help_text="The key.")
    name = django_filters.CharFilter(help_text="The whole name.")
    owner = django_filters.CharFilter(method="of_owner", help_text="A user or an owner's label.")
    search = django_filters.CharFilter(
        method="mentioning", help_text="Text in the key, the name or the owner's label."
    )

    tag = django_filters.CharFilter(method="carrying", help_text="The name of a tag.")

    class Meta:
        model = Session
        fields: tuple[str, ...] = ()

    def reading(self, rows: QuerySet[Session], _name: str, value: list[str]) -> QuerySet[Session]:
        """Sessions whose state reads as one of these words."""
        return rows.filter(state__in=conversation_states(*value)) if value else rows

    def of_owner(self, rows: QuerySet[Session], _name: str, value: str) -> QuerySet[Session]:
        """Sessions of a user by name, or with this label of an owner."""
        return rows.filter(Q(owner__username=value) | Q(owner_label=value))

    def mentioning(self, rows: QuerySet[Session], _name: str, value: str) -> QuerySet[Session]:
        """Sessions that have this text where people look for it."""
        return lists.mentioning(rows, value)

    def carrying(self, rows: QuerySet[Session], _name: str, value: str) -> QuerySet[Session]:
        """Sessions that carry a tag."""
        return tags.carrying(rows, value)


NAMES = frozenset(SessionFilter.base_filters)


def narrow(rows: QuerySet[Session], query: dict[str, str]) -> QuerySet[Session]:
    """
    The rows that the filters among the parameters leave.

    :raises ValidationFailed: for a value that a filter does not have
    """
    asked: dict[str, Any] = {name: value for name, value in query.items() if name in NAMES}
    if not asked:
        return rows
    chosen = SessionFilter(asked, queryset=rows)
    if not chosen.is_valid():
        raise ValidationFailed(
            "There is no such value to filter by.", fields=sorted(chosen.form.errors)
        )
    narrowed: QuerySet[Session] = chosen.qs
    return narrowed
