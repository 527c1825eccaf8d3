"""What a proposed policy would have done to the calls that were made, over HTTP."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api.policies import EXAMPLE, Rules, Slug, Word
from sessions.core.rehearsal import Compared, Kind, Now, Then
from sessions.models import ToolCall
from sessions.services import rehearsal
from sessions.services.rehearsal import Rehearsed, Span
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.codecs import Timestamp
from streaming.api.schema import operation

MOST_SHOWN = 200


class RehearseInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    The proposal: the policies named and these rules, and the recorded calls to ask it about.

    Without `session` they are of every session that you see; the newest `limit` of them.
    """

    policies: Annotated[list[Slug], Meta(max_length=20)] = []
    rules: Rules = []
    session: Annotated[str, Meta(max_length=128)] = ""
    agent: Word = ""
    since: Timestamp | None = None
    limit: Annotated[int, Meta(ge=1, le=rehearsal.MOST)] = 1000

    def span(self) -> Span:
        """Which calls are meant."""
        since = codecs.in_utc(self.since) if self.since else None
        return Span(session=self.session, agent=self.agent, since=since, limit=self.limit)

    def __post_init__(self) -> None:
        codecs.check_kept(self.rules)
        if self.since is not None:
            codecs.in_utc(self.since)


class DifferingDocument(Struct, kw_only=True):
    """A call that would go another way: what became of it, what would, and by which rule."""

    tool_call: UUID
    session: UUID
    run: UUID
    tool: str
    agent: str
    created_at: Timestamp
    then: Then
    rule_then: str
    now: Now
    rule: str
    kind: Kind


class RehearsalDocument(Struct, kw_only=True):
    """
    How a proposal compares with what was.

    `counts`: `same`; `more` asks or denies where nobody was asked; `fewer` lets by what somebody
    was asked about; `missed` lets by what was refused or denied; `needless` denies what a person
    approved. `data` holds the newest 200 that differ.
    """

    judged: int
    counts: dict[str, int]
    then: dict[str, int]
    now: dict[str, int]
    data: list[DifferingDocument]
    has_more: bool


class Rehearse(Endpoint):
    """What a proposal would have done."""

    examples = {"POST": {"rules": EXAMPLE, "limit": 100}}

    @operation(
        "policies.rehearse", tag="policies", body=RehearseInput, answers={200: RehearsalDocument}
    )
    @once
    def post(self, _request: Request) -> Response:
        """Ask a proposal about the calls that were made; nothing is written."""
        order = self.ordered(RehearseInput)
        found = rehearsal.rehearse(
            principal=self.principal, span=order.span(), slugs=order.policies, rules=order.rules
        )
        return Response(codecs.show(document(found)))


def document(found: Rehearsed) -> RehearsalDocument:
    """What came of a rehearsal."""
    return RehearsalDocument(
        judged=found.judged,
        counts=found.counts,
        then=found.then,
        now=found.now,
        data=[_differing(call, one) for call, one in found.differing[:MOST_SHOWN]],
        has_more=len(found.differing) > MOST_SHOWN,
    )


def _differing(call: ToolCall, one: Compared) -> DifferingDocument:
    return DifferingDocument(
        tool_call=call.pk,
        session=call.session_id,
        run=call.run_id,
        tool=call.tool,
        agent=call.run.agent_slug,
        created_at=call.created_at,
        then=one.before,
        rule_then=call.rule,
        now=one.after,
        rule=one.verdict.rule,
        kind=one.kind,
    )
