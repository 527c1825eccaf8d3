"""Documents that several parts of the interface share."""

from typing import Annotated, Any

from msgspec import Meta, Struct

Limit = Annotated[int, Meta(ge=1, le=200, description="How many at most.")]
# As `streaming.core.topics` has it, in words that OpenAPI knows.
LEVEL = "[A-Za-z0-9_][A-Za-z0-9_:@~+=-]*"
TOPIC_PATTERN = rf"^(({LEVEL}|\*)\.)*({LEVEL}|\*\*?)$"
Topic = Annotated[
    str, Meta(max_length=200, pattern=TOPIC_PATTERN, description="A topic or a pattern of topics.")
]
Topics = Annotated[list[Topic], Meta(max_length=200)]
Fields = Annotated[
    str, Meta(max_length=1000, description="Only these fields, with commas between.")
]
Cursor = Annotated[str, Meta(max_length=500, description="`next` of the page before.")]


class PageQuery(Struct, kw_only=True):
    """Which page of a list."""

    cursor: Cursor = ""
    limit: Limit = 50
    fields: Fields = ""


class EventDocument(Struct, kw_only=True):
    """One event of a ledger."""

    seq: int
    type: str
    ts: str
    actor: str
    cause: str
    data: dict[str, Any]


class EventPage(Struct, kw_only=True):
    """
    Consecutive events, oldest first.

    `next` is what `after` must be for the events that follow; `head` the newest of the ledger,
    `start` the first that is kept.
    """

    data: list[EventDocument]
    epoch: str
    start: int
    head: int
    next: int
