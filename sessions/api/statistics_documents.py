"""Numbers of sessions as every interface shows them."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from sessions.selectors.statistics import Numbers
from streaming.api import codecs
from streaming.api.codecs import Timestamp


class SessionNumbers(Struct, kw_only=True):
    """
    `total`, `by_state` and `by_kind` are of now; the others of the span.

    `success` is the share of completed among completed and failed ones, null of none.
    """

    total: int
    by_state: dict[str, int]
    by_kind: dict[str, int]
    created: int
    completed: int
    failed: int
    ended: int
    success: float | None


class MessageNumbers(Struct, kw_only=True):
    """What was said in the span."""

    total: int
    by_role: dict[str, int]
    tokens: int


class RunNumbers(Struct, kw_only=True):
    """Runs that were asked for in the span; `cost` is US dollars."""

    total: int
    by_state: dict[str, int]
    tokens: int
    cost: str
    steps: int
    worked_seconds: float
    success: float | None


class ToolNumbers(Struct, kw_only=True):
    """One tool; `seconds` is how long its calls took on average."""

    tool: str
    calls: int
    failed: int
    seconds: float | None


class ToolCallNumbers(Struct, kw_only=True):
    """What tools were asked for in the span, and the ten that were asked most."""

    total: int
    by_state: dict[str, int]
    success: float | None
    tools: list[ToolNumbers]


class ApprovalNumbers(Struct, kw_only=True):
    """
    What was asked in the span.

    `p50_seconds` and `p95_seconds` are how long people took to decide, `waited_seconds` the sum,
    all of the newest 10,000 decisions. `expired` is the share of what nobody decided in time.
    """

    total: int
    by_state: dict[str, int]
    p50_seconds: float | None
    p95_seconds: float | None
    waited_seconds: float
    expired: float | None


class TopicNumbers(Struct, kw_only=True):
    """A topic, and how many records it has had."""

    session: UUID
    key: str
    topic: str
    records: int


class TopicsNumbers(Struct, kw_only=True):
    """The topics as they are now, and the ten with the most records."""

    total: int
    recorded: int
    top: list[TopicNumbers]


class AgentNumbers(Struct, kw_only=True):
    """What the runs of one agent took."""

    agent: str
    runs: int
    failed: int
    tokens: int
    cost: str


class BusyNumbers(Struct, kw_only=True):
    """What the runs of one session took."""

    session: UUID
    key: str
    name: str
    runs: int
    failed: int
    tokens: int
    cost: str


class DayNumbers(Struct, kw_only=True):
    """What began on one day of the zone; null is what you may not read."""

    day: str
    sessions: int
    messages: int | None
    runs: int | None
    tokens: int | None
    cost: str | None
    tool_calls: int | None
    approvals: int | None


class BeforeNumbers(Struct, kw_only=True):
    """The totals of the span of the same length just before."""

    sessions: int
    messages: int | None
    runs: int | None
    tokens: int | None
    cost: str | None
    tool_calls: int | None
    approvals: int | None


class StatisticsDocument(Struct, kw_only=True):
    """
    Numbers of the sessions that you may see; null is what you may not read.

    They were counted at `calculated_at`, and may be five minutes old.
    """

    since: Timestamp
    until: Timestamp
    zone: str
    calculated_at: Timestamp
    sessions: SessionNumbers
    messages: MessageNumbers | None
    runs: RunNumbers | None
    tool_calls: ToolCallNumbers | None
    approvals: ApprovalNumbers | None
    topics: TopicsNumbers | None
    agents: list[AgentNumbers] | None
    busiest: list[BusyNumbers] | None
    days: list[DayNumbers]
    before: BeforeNumbers


def shown(found: Numbers) -> dict[str, Any]:
    """The numbers as plain values, in the order of the document."""
    span = found.span
    said = {
        "since": span.since,
        "until": span.until,
        "zone": str(span.zone),
        "calculated_at": found.at,
        **found.parts,
    }
    return codecs.show(msgspec.convert(said, StatisticsDocument))
