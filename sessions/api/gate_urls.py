"""The addresses of approvals, policies and webhooks."""

from sessions.api import (
    approval_batches,
    approvals,
    grants,
    policies,
    rehearsals,
    webhooks,
)
from streaming.api.paths import route

OF_SESSION = "sessions/<str:session>/approvals"

urlpatterns = [
    route("approvals", approvals.Approvals, name="approvals"),
    route("approvals/batch", approval_batches.Batch, name="approvals-batch"),
    route("approvals/<str:approval>", approvals.OneApproval, name="approval"),
    route("approvals/<str:approval>/decide", approvals.Decide, name="approval-decide"),
    route("approvals/<str:approval>/claim", approvals.Claim, name="approval-claim"),
    route(OF_SESSION, approvals.SessionApprovals, name="session-approvals"),
    route(f"{OF_SESSION}/<str:approval>", approvals.SessionApproval, name="session-approval"),
    route("policies", policies.Policies, name="policies"),
    route("policies/try", policies.Try, name="policies-try"),
    route("policies/rehearse", rehearsals.Rehearse, name="policies-rehearse"),
    route("policies/<str:policy>", policies.OnePolicy, name="policy"),
    route("grants", grants.Grants, name="grants"),
    route("grants/<str:grant>", grants.OneGrant, name="grant"),
    route("webhooks", webhooks.Webhooks, name="webhooks"),
    route("webhooks/<str:webhook>", webhooks.OneWebhook, name="webhook"),
    route("webhooks/<str:webhook>/rotate", webhooks.Rotate, name="webhook-rotate"),
    route("webhooks/<str:webhook>/test", webhooks.Test, name="webhook-test"),
    route("webhooks/<str:webhook>/deliveries", webhooks.Deliveries, name="deliveries"),
    route(
        "webhooks/<str:webhook>/deliveries/<str:delivery>/redeliver",
        webhooks.Redeliver,
        name="redeliver",
    ),
]
