"""Conversations by what is wanted of them: narrowed, around one message, from end to end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from sessions.core.conversation import Role
from sessions.models import Message, Session
from sessions.selectors import history
from sessions.selectors.history import Entry, Extract

BATCH = 200
"""So many messages of a file are in memory at once."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which messages; ``text`` stands in them in whatever letters, None is either way."""

    role: Role | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    has_attachments: bool | None = None
    has_tool_calls: bool | None = None

    @property
    def where(self) -> Q:
        """The condition that they meet."""
        wanted = {
            "role": self.role.value if self.role else None,
            "created_at__gte": self.since,
            "created_at__lt": self.until,
            "content__icontains": self.text or None,
        }
        found = Q(**{name: value for name, value in wanted.items() if value is not None})
        for name, is_wanted in (
            ("attachment_count__gt", self.has_attachments),
            ("tool_call_count__gt", self.has_tool_calls),
        ):
            if is_wanted is not None:
                found &= Q(**{name: 0}) if is_wanted else ~Q(**{name: 0})
        return found


def context(session: Session, message: UUID | str, *, before: int, after: int) -> Extract:
    """
    A message with so many before and behind it, on the branch that it is on.

    ``has_more`` says whether there are others on either side.

    :raises MessageNotFound: if the session has no such message
    """
    row = history.find(session.pk, message)
    branch = None if row.is_chosen else row.pk
    ahead = _some(session, before, before=row.place, branch=branch)
    behind = _some(session, after, after=row.place, branch=branch)
    entries = [*ahead.entries, *history.entries([row]), *behind.entries]
    return Extract(entries, has_more=ahead.has_more or behind.has_more)


def _some(
    session: Session,
    limit: int,
    *,
    before: int | None = None,
    after: int | None = None,
    branch: UUID | None,
) -> Extract:
    if limit:
        return history.page(session, limit=limit, before=before, after=after, branch=branch)
    more = history.page(session, limit=1, before=before, after=after, branch=branch)
    return Extract([], has_more=bool(more.entries))


def batch(session: Session, where: Q, *, after: int) -> list[Entry]:
    """The messages of the chosen branch behind a place, as many as are read at once."""
    rows = Message.objects.of_session(session.pk).filter(where, place__gt=after)
    return history.entries(list(rows[:BATCH]))


def batches(session: Session, where: Q) -> Iterator[list[Entry]]:
    """The whole chosen branch in its order, a batch at a time."""
    after = 0
    while found := batch(session, where, after=after):
        yield found
        after = found[-1].message.place
