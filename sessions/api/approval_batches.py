"""Many decisions at once, and what they would do."""

from typing import Any
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import approval_documents as documents
from sessions.api.approval_documents import ApprovalDocument
from sessions.api.approval_inputs import BatchInput
from sessions.models import Approval
from sessions.selectors import situation
from sessions.services import batches
from sessions.services.batches import Outcome, Plan
from streaming.api import codecs
from streaming.api.base import Endpoint, alone
from streaming.api.schema import operation


class OutcomeDocument(Struct, kw_only=True):
    """
    What became of one decision of a batch: the approval, or why it was refused.

    Of a `dry_run` what would become of it; `document` is then the approval as it is.
    """

    approval: str
    ok: bool
    document: ApprovalDocument | UnsetType = UNSET
    error: dict[str, Any] | UnsetType = UNSET


class PlanDocument(Struct, kw_only=True):
    """
    What a batch would do, without those that would be refused.

    `common` is what all have in common, of `tool`, `agent` and `session`; `resumed` are the runs
    that would go on, `held` those that wait for other decisions, too.
    """

    common: list[str]
    count: int
    resumed: list[UUID]
    held: list[UUID]


class BatchDocument(Struct, kw_only=True):
    """What became of each decision, in the order in which they were given."""

    data: list[OutcomeDocument]
    plan: PlanDocument | UnsetType = UNSET


class Batch(Endpoint):
    """Many decisions at once."""

    examples = {"POST": {"decisions": [{"approval": "…", "approved": True}]}}

    @operation("approvals.batch", tag="approvals", body=BatchInput, answers={200: BatchDocument})
    @alone
    def post(self, _request: Request) -> Response:
        """Decide on many; each comes to its own end. What is of high risk is approved alone."""
        self.principal.require("approvals:decide")
        said = self.ordered(BatchInput)
        orders = [one.order() for one in said.decisions]
        if said.dry_run:
            found = batches.plan(principal=self.principal, orders=orders, look=situation.now)
            return Response(codecs.show(planned(found)))
        done = batches.decide(principal=self.principal, orders=orders, look=situation.now)
        return Response(codecs.show(BatchDocument(data=[outcome(one) for one in done])))


def planned(found: Plan) -> BatchDocument:
    """The document of what a batch would do."""
    plan = PlanDocument(
        common=found.common,
        count=sum(one.error is None for one in found.outcomes),
        resumed=sorted(found.resumed),
        held=sorted(found.held),
    )
    data = [outcome(one, row=found.rows.get(str(one.approval))) for one in found.outcomes]
    return BatchDocument(data=data, plan=plan)


def outcome(found: Outcome, *, row: Approval | None = None) -> OutcomeDocument:
    """The document of one outcome; ``row`` is the approval where nothing was decided yet."""
    told = OutcomeDocument(approval=str(found.approval), ok=found.error is None)
    row = found.decided.approval if found.decided else row
    if found.error is not None:
        told.error = found.error.as_dict()
    elif row is not None:
        told.document = documents.approval(row)
    return told
