"""What waits for people, and their decisions."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from msgspec import UNSET, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project.kit.errors import AegisError
from sessions.api import approval_documents as documents
from sessions.api.approval_documents import ApprovalDocument, ApprovalPage
from sessions.api.approval_inputs import (
    ApprovalQuery,
    BatchInput,
    CancelQuery,
    ClaimInput,
    DecideInput,
)
from sessions.api.collection import version
from sessions.core.errors import ApprovalNotFound
from sessions.models import Approval
from sessions.selectors import approvals as reading
from sessions.selectors import sessions, situation
from sessions.services import approvals, batches, withdrawal
from sessions.services.batches import Outcome
from streaming.api import codecs
from streaming.api.base import Endpoint, alone, once
from streaming.api.schema import VERSION, operation
from streaming.selectors import pages

ONE = {200: ApprovalDocument}


class OutcomeDocument(Struct, kw_only=True):
    """What became of one decision of a batch: the approval, or why it was refused."""

    approval: str
    ok: bool
    document: ApprovalDocument | UnsetType = UNSET
    error: dict[str, Any] | UnsetType = UNSET


class BatchDocument(Struct, kw_only=True):
    """What became of each decision, in the order in which they were given."""

    data: list[OutcomeDocument]


class CancelledDocument(Struct, kw_only=True):
    """How many approvals nobody has to decide on any more, which, and why."""

    cancelled_approvals: int
    approvals: list[UUID]
    reason: str


class Approvals(Endpoint):
    """What waits for people in the sessions that you can see."""

    @operation(
        "approvals.list",
        tag="approvals",
        query=ApprovalQuery,
        fields=ApprovalDocument,
        answers={200: ApprovalPage},
    )
    def get(self, _request: Request) -> Response:
        """List approvals, the most urgent first unless another order is asked for."""
        query = self.asked(ApprovalQuery)
        rows = reading.readable(self.principal)
        if query.session:
            rows = rows.filter(session=sessions.find(self.principal, query.session))
        return _page(self, rows, query)


class SessionApprovals(Endpoint):
    """What waits for people in one session."""

    @operation(
        "sessions.approvals",
        tag="approvals",
        query=ApprovalQuery,
        fields=ApprovalDocument,
        answers={200: ApprovalPage},
    )
    def get(self, _request: Request, session: str) -> Response:
        """List the approvals of a session."""
        rows = reading.readable(self.principal)
        found = sessions.find(self.principal, session)
        return _page(self, rows.filter(session=found), self.asked(ApprovalQuery))

    @operation(
        "sessions.approvals.cancel",
        tag="approvals",
        query=CancelQuery,
        answers={200: CancelledDocument},
    )
    def delete(self, _request: Request, session: str) -> Response:
        """
        Cancel what waits in a session; nothing of it is carried out.

        The runs go on without it. To end them, too, cancel the runs.
        """
        reason = self.asked(CancelQuery).reason
        done = withdrawal.cancel(principal=self.principal, session=session, reason=reason)
        ids = [one.pk for one in done.approvals]
        found = CancelledDocument(cancelled_approvals=len(ids), approvals=ids, reason=done.reason)
        return Response(codecs.show(found))


class OneApproval(Endpoint):
    """One approval, with what it rests on then and now."""

    @operation("approvals.read", tag="approvals", answers=ONE)
    def get(self, _request: Request, approval: str) -> Response:
        """Read an approval; its ETag is what If-Match of a decision takes."""
        return _card(self, reading.read(self.principal, approval))


class Decide(Endpoint):
    """Approve or reject."""

    examples = {"POST": {"approved": True, "reason": "Within the limits."}}

    @operation(
        "approvals.decide", tag="approvals", body=DecideInput, parameters=[VERSION], answers=ONE
    )
    @once
    def post(self, _request: Request, approval: str) -> Response:
        """
        Approve or reject a tool call, once.

        409 `APPROVAL_STALE` when what it rests on moved too far: `details.approval` is then a new
        one, with what is known now.
        """
        return _decide(self, reading.find(self.principal, approval))


class Claim(Endpoint):
    """Say that you look at it."""

    @operation("approvals.claim", tag="approvals", body=ClaimInput, answers=ONE)
    @once
    def post(self, _request: Request, approval: str) -> Response:
        """Let the others see that you look at it; it binds nobody."""
        release = self.ordered(ClaimInput).release
        row = approvals.claim(principal=self.principal, approval=approval, release=release)
        return _tagged(row, documents.approval(row))


class Batch(Endpoint):
    """Many decisions at once."""

    examples = {"POST": {"decisions": [{"approval": "…", "approved": True}]}}

    @operation("approvals.batch", tag="approvals", body=BatchInput, answers={200: BatchDocument})
    @alone
    def post(self, _request: Request) -> Response:
        """Decide on many; each comes to its own end. What is of high risk is approved alone."""
        self.principal.require("approvals:decide")
        orders = [one.order() for one in self.ordered(BatchInput).decisions]
        found = batches.decide(principal=self.principal, orders=orders, look=situation.now)
        return Response(codecs.show(BatchDocument(data=[_outcome(one) for one in found])))


class SessionApproval(Endpoint):
    """One approval of a session, as seed 004 addresses it."""

    examples = {"POST": {"approved": False, "feedback": "Too much at once."}}

    @operation("sessions.approvals.read", tag="approvals", answers=ONE)
    def get(self, _request: Request, session: str, approval: str) -> Response:
        """Read an approval of this session."""
        self.principal.require("approvals:read")
        return _card(self, self.found(session, approval))

    @operation(
        "sessions.approvals.decide",
        tag="approvals",
        body=DecideInput,
        parameters=[VERSION],
        answers=ONE,
    )
    @once
    def post(self, _request: Request, session: str, approval: str) -> Response:
        """Approve or reject, as `decide` does."""
        return _decide(self, self.found(session, approval))

    def found(self, session: str, approval: str) -> Approval:
        """The approval, as far as it is one of this session."""
        row = reading.find(self.principal, approval)
        if row.session_id != sessions.find(self.principal, session).pk:
            raise ApprovalNotFound(approval=approval[:64])
        return row


def _page(view: Endpoint, rows: QuerySet[Approval], query: ApprovalQuery) -> Response:
    rows = rows.filter(**query.words())
    if query.mine:
        rows = rows.filter(claimed_by=view.principal.actor)
    if query.expiring:
        rows = reading.expiring(rows, seconds=query.expiring)
    page = pages.page(rows, order=query.ordering, cursor=query.cursor, limit=query.limit)
    shown = [codecs.show(documents.approval(one)) for one in page.rows]
    return Response({"data": codecs.pick(shown, query.fields, ApprovalDocument), "next": page.next})


def _card(view: Endpoint, row: Approval) -> Response:
    # People see the values of topics that they may read; the right to decide is a right to see.
    document = documents.card(row, now=situation.now(row), precedents=reading.precedents(row))
    return _tagged(row, document)


def _decide(view: Endpoint, found: Approval) -> Response:
    order = view.ordered(DecideInput)
    decided = approvals.decide(
        principal=view.principal,
        approval=found,
        approved=order.approved,
        reason=order.why,
        edited_arguments=order.edited_arguments,
        remember=order.remember,
        version=version(view.request.headers.get("If-Match", "")),
        evidence=situation.now(found) if order.approved else None,
    )
    grant = decided.grant.pk if decided.grant else None
    return _tagged(decided.approval, documents.approval(decided.approval, grant=grant))


def _tagged(row: Approval, document: ApprovalDocument) -> Response:
    return Response(codecs.show(document), headers={"ETag": f'"{row.version}"'})


def _outcome(found: Outcome) -> OutcomeDocument:
    name = str(found.approval)
    if found.decided is not None:
        shown = documents.approval(found.decided.approval)
        return OutcomeDocument(approval=name, ok=True, document=shown)
    error = found.error or AegisError()
    return OutcomeDocument(approval=name, ok=False, error=error.as_dict())
