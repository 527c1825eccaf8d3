"""An approval as the interface shows it."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from sessions.core.approvals import State
from sessions.core.freshness import Known, Moved
from sessions.core.lifecycle import Environment
from sessions.core.tool_calls import Risk
from sessions.core.tool_calls import State as CallState
from sessions.models import Approval, ToolCall
from sessions.selectors import approvals as reading
from sessions.selectors import situation
from streaming.api.codecs import Timestamp

# The words of seed 004, which has four.
WORDS = {State.CANCELLED: "expired"}


class AskedDocument(Struct, kw_only=True):
    """The call that is decided on; `asked_arguments` are what the agent asked for."""

    id: UUID
    call: str
    name: str
    version: str
    arguments: dict[str, Any]
    asked_arguments: dict[str, Any]
    risk: Risk
    state: CallState


class InputDocument(Struct, kw_only=True):
    """The newest record of a topic that the decision rests on; `ts` is unix milliseconds."""

    value: Any
    ts: int
    seq: int


class MovedDocument(Struct, kw_only=True):
    """An input that moved too far; `why` is moved, silent or gone."""

    topic: str
    path: str
    then: Any
    now: Any
    why: str


class PrecedentDocument(Struct, kw_only=True):
    """An earlier decision on the same tool of the same agent, and what became of the call."""

    id: UUID
    state: State
    decided_by: str
    decided_at: Timestamp | None
    reason: str
    tool_call_state: CallState


class ApprovalDocument(Struct, kw_only=True):
    """
    The one decision on a tool call.

    `seq` is where the ledger tells that it was asked, `evidence` what was known of its topics when it was asked, `freshness` how far they may
    move, `parameters` the JSON Schema of what may be edited. `status` and `feedback` are seed
    004's words. `now`, `moved`, `precedents` and `requester_is_gone` stand only where one approval is
    read; `now` and `moved` are null where the answering process cannot see the topics. While the
    requester is gone, nothing is approved for it.
    """

    id: UUID
    session: UUID
    session_key: str
    environment: Environment
    run: UUID
    agent: str
    tool_call: AskedDocument
    state: State
    status: str
    digest: str
    rule: str
    who: dict[str, Any]
    on_timeout: str
    requested_by: str
    requested_at: Timestamp
    seq: int
    expires_at: Timestamp
    stops_clock: bool
    clock_stopped_at: Timestamp | None
    claimed_by: str
    claimed_at: Timestamp | None
    decided_by: str
    decided_at: Timestamp | None
    reason: str
    feedback: str
    edited_arguments: dict[str, Any] | None
    evidence: dict[str, InputDocument]
    freshness: list[dict[str, Any]]
    parameters: dict[str, Any]
    replaces: UUID | None
    version: int
    now: dict[str, InputDocument] | UnsetType | None = UNSET
    moved: list[MovedDocument] | UnsetType | None = UNSET
    precedents: list[PrecedentDocument] | UnsetType = UNSET
    requester_is_gone: bool | UnsetType = UNSET
    grant: UUID | UnsetType = UNSET


class ApprovalPage(Struct, kw_only=True):
    """Approvals, and the cursor of the page that follows; an empty one after the last page."""

    data: list[ApprovalDocument]
    next: str


def approval(row: Approval, *, grant: UUID | None = None) -> ApprovalDocument:
    """The document of an approval."""
    state = State(row.state)
    return ApprovalDocument(
        id=row.pk,
        session=row.session_id,
        session_key=row.session.key,
        environment=Environment(row.session.environment),
        run=row.run_id,
        agent=row.run.agent_slug,
        tool_call=_call(row.tool_call),
        state=state,
        status=WORDS.get(state, state.value),
        feedback=row.reason,
        evidence=_inputs(row.evidence),
        replaces=row.replaces_id,
        grant=grant or UNSET,
        **{name: getattr(row, name) for name in SAME},
    )


SAME = (
    *("digest", "rule", "who", "on_timeout", "requested_by", "requested_at", "seq"),
    *(
        "expires_at",
        "stops_clock",
        "clock_stopped_at",
        "claimed_by",
        "claimed_at",
        "decided_by",
        "decided_at",
    ),
    *("reason", "edited_arguments", "freshness", "parameters", "version"),
)


def card(row: Approval, *, now: Known | None, precedents: list[Approval]) -> ApprovalDocument:
    """The document of one approval with what is known now and how it was decided before."""
    document = approval(row)
    document.now = None if now is None else _inputs(now)
    found = situation.moved(row, now)
    document.moved = None if found is None else [_moved(one) for one in found]
    document.requester_is_gone = row.is_open and reading.is_requester_gone(row)
    document.precedents = [_precedent(one) for one in precedents]
    return document


def _inputs(known: Known) -> dict[str, InputDocument]:
    return {
        name: InputDocument(value=one["value"], ts=one["ts"], seq=one["seq"])
        for name, one in known.items()
    }


def _moved(one: Moved) -> MovedDocument:
    return msgspec.convert(one, MovedDocument, from_attributes=True)


def _call(call: ToolCall) -> AskedDocument:
    return AskedDocument(
        id=call.pk,
        call=call.call_id,
        name=call.tool,
        version=call.tool_version,
        arguments=call.arguments,
        asked_arguments=call.asked_arguments,
        risk=Risk(call.risk),
        state=CallState(call.state),
    )


def _precedent(row: Approval) -> PrecedentDocument:
    return PrecedentDocument(
        id=row.pk,
        state=State(row.state),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        reason=row.reason,
        tool_call_state=CallState(row.tool_call.state),
    )
