"""Removing for good what is over for long enough, over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.selectors.purging import MOST_DAYS, Weight, What, Wish
from sessions.services import purging
from streaming.api import codecs
from streaming.api.base import Endpoint, alone
from streaming.api.codecs import Timestamp
from streaming.api.schema import operation


class PurgeInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    Which sessions go: over for so many days, in this state and with this tag, if they are named.

    With `events` only the beginnings of their ledgers go, with `artifacts` only the files that were
    made in them. Unless `dry_run` is false it is only said what would go.
    """

    older_than_days: Annotated[float, Meta(ge=0, le=MOST_DAYS)]
    state: Literal["", "completed", "ended"] = ""
    tag: Annotated[str, Meta(max_length=50, pattern="^[^\\x00]*$")] = ""
    what: What = What.SESSIONS
    dry_run: bool = True


class PurgedSession(Struct, kw_only=True):
    """A session, and what goes with it or of it; `bytes` are those of its contents."""

    session: UUID
    key: str
    state: str
    stopped_at: Timestamp | None
    events: int
    records: int
    messages: int
    files: int
    bytes: int


class PurgeDocument(Struct, kw_only=True):
    """What went or, in a dry run, would go; 1,000 at most, those that were over first, first."""

    dry_run: bool
    what: What
    data: list[PurgedSession]
    bytes: int


class Purge(Endpoint):
    """Sessions that leave for good."""

    examples = {"POST": {"older_than_days": 90, "dry_run": True}}

    @operation("purge", tag="recovery", body=PurgeInput, answers={200: PurgeDocument})
    @alone
    def post(self, _request: Request) -> Response:
        """
        Remove sessions that are over, or something of them; superusers only.

        One that an open session was forked from, or replays, stays as it is. A bookmark keeps what
        it is of, a checkpoint the events from its own on.
        """
        order = self.ordered(PurgeInput)
        wish = Wish(order.older_than_days, order.state, order.tag, order.what)
        found = purging.purge(principal=self.principal, wish=wish, is_dry=order.dry_run)
        answer = PurgeDocument(
            dry_run=order.dry_run,
            what=order.what,
            data=[_document(one) for one in found],
            bytes=sum(one.bytes for one in found),
        )
        return Response(codecs.show(answer))


def _document(one: Weight) -> PurgedSession:
    row = one.session
    return PurgedSession(
        session=row.pk,
        key=row.key,
        state=row.state,
        stopped_at=row.stopped_at,
        events=one.events,
        records=one.records,
        messages=one.messages,
        files=one.files,
        bytes=one.bytes,
    )
