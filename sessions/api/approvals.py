"""What waits for people, and their decisions."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import approval_documents as documents
from sessions.api.approval_documents import ApprovalDocument, ApprovalPage
from sessions.api.approval_inputs import (
    ApprovalQuery,
    CancelQuery,
    ClaimInput,
    DecideInput,
)
from sessions.api.collection import version
from sessions.core.errors import ApprovalNotFound
from sessions.models import Approval
from sessions.selectors import approvals as reading
from sessions.selectors import sessions, situation
from sessions.services import approvals, handing, withdrawal
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.schema import VERSION, operation
from streaming.selectors import pages

ONE = {200: ApprovalDocument}


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
    """Say that you look at it, or leave it to somebody else."""

    examples = {"POST": {"to": "role:approver"}}

    @operation("approvals.claim", tag="approvals", body=ClaimInput, answers=ONE)
    @once
    def post(self, _request: Request, approval: str) -> Response:
        """Let the others see that you look at it, or leave it to somebody; it binds nobody."""
        order = self.ordered(ClaimInput)
        asked: dict[str, Any] = {"principal": self.principal, "approval": approval}
        if order.to:
            row = handing.hand_over(**asked, to=order.to).approval
        else:
            row = approvals.claim(**asked, release=order.release)
        return _tagged(row, documents.approval(row))


class SessionApproval(Endpoint):
    """One approval of a session, as seed 004 addresses it."""

    examples = {"POST": {"approved": False, "feedback": "Too much at once."}}

    @operation("sessions.approvals.read", tag="approvals", answers=ONE)
    def get(self, _request: Request, session: str, approval: str) -> Response:
        """Read an approval of this session."""
        reading.require(self.principal)
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
        rows = rows.filter(claimed_by__in=reading.names(view.principal))
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
