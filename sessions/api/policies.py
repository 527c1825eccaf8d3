"""Policies, and what they would say of a call."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api.collection import version
from sessions.core.lifecycle import Environment
from sessions.core.policy import Facts
from sessions.core.tool_calls import Risk
from sessions.models import Policy
from sessions.selectors import policies as reading
from sessions.selectors import teams
from sessions.services import policy_catalogue, rehearsal
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.codecs import Timestamp
from streaming.api.documents import PageQuery
from streaming.api.schema import VERSION, operation
from streaming.selectors import pages

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")]
Word = Annotated[str, Meta(max_length=200)]
Rules = Annotated[
    list[dict[str, Any]],
    Meta(
        max_length=200,
        description="In their order; the first that matches counts. What a rule may say of a call:"
        " `tool`, `agent`, `user` (patterns), `arguments` (`path`, `op`, `value`), `environment`,"
        " `risk`, `cost_above`. What then is: `verdict` (auto, notify, approve, deny), `who`"
        " {permission, four_eyes, not_owner, reason, remember}, `seconds`, `on_timeout`,"
        " `freshness`, `stops_clock`.",
    ),
]
EXAMPLE = [
    {
        "name": "large orders",
        "verdict": "approve",
        "tool": "orders.*",
        "arguments": [{"path": "quantity", "op": "gt", "value": 100}],
        "who": {"four_eyes": True},
        "seconds": 120,
    }
]


class PolicyDocument(Struct, kw_only=True):
    """Ordered rules; those of the system do not change."""

    slug: str
    name: str
    description: str
    rules: list[dict[str, Any]]
    team: str | None
    is_system: bool
    version: int
    created_at: Timestamp
    updated_at: Timestamp


class PolicyPage(Struct, kw_only=True):
    """Policies, and the cursor of the page that follows."""

    data: list[PolicyDocument]
    next: str


class PolicyInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A policy; without a team it is of everybody."""

    slug: Slug
    rules: Rules
    name: Word = ""
    description: Annotated[str, Meta(max_length=10_000)] = ""
    team: Annotated[str, Meta(max_length=150)] = ""

    def __post_init__(self) -> None:
        codecs.check_kept(self.rules)


class PolicyChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields of a policy that are to change; those left out stay."""

    rules: Rules | UnsetType = UNSET
    name: Word | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=10_000)] | UnsetType = UNSET

    def __post_init__(self) -> None:
        codecs.check_kept(self.rules)

    def given(self) -> dict[str, Any]:
        """What was said, by name."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in values.items() if value is not UNSET}


class TryInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    A call that nobody makes, and the policies to ask: those named, and these rules.

    `user` is an actor as `user:ana`, `cost` US dollars.
    """

    tool: Annotated[str, Meta(min_length=1, max_length=200)]
    arguments: dict[str, Any] = {}
    risk: Risk = Risk.HIGH
    agent: Word = "assistant"
    user: Word = ""
    environment: Environment = Environment.DEVELOPMENT
    cost: Annotated[float, Meta(ge=0)] = 0.0
    always_ask: bool = False
    policies: Annotated[list[Slug], Meta(max_length=20)] = []
    rules: Rules = []

    def facts(self) -> Facts:
        """What rules may ask of the call."""
        names = ("tool", "arguments", "risk", "agent", "user", "environment", "cost", "always_ask")
        return Facts(**{name: getattr(self, name) for name in names})


class VerdictDocument(Struct, kw_only=True):
    """What would become of a call, and by which rule."""

    verdict: str
    rule: str
    who: dict[str, Any]
    seconds: int
    on_timeout: str
    stops_clock: bool


class Policies(Endpoint):
    """The policies that your sessions and agents may go by."""

    examples = {"POST": {"slug": "desk", "rules": EXAMPLE}}

    @operation(
        "policies.list",
        tag="policies",
        query=PageQuery,
        fields=PolicyDocument,
        answers={200: PolicyPage},
    )
    def get(self, _request: Request) -> Response:
        """List policies, the newest first."""
        query = self.asked(PageQuery)
        rows = reading.readable(self.principal)
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        shown = [codecs.show(policy(one)) for one in page.rows]
        return Response(
            {"data": codecs.pick(shown, query.fields, PolicyDocument), "next": page.next}
        )

    @operation("policies.define", tag="policies", body=PolicyInput, answers={201: PolicyDocument})
    @once
    def post(self, _request: Request) -> Response:
        """Make a policy."""
        order = self.ordered(PolicyInput)
        made = policy_catalogue.define(
            principal=self.principal,
            slug=order.slug,
            rules=order.rules,
            name=order.name,
            description=order.description,
            team=teams.for_new(self.principal, order.team) if order.team else None,
        )
        return _tagged(made.policy, status=201)


class OnePolicy(Endpoint):
    """One policy."""

    examples = {"PATCH": {"rules": EXAMPLE}}

    @operation("policies.read", tag="policies", answers={200: PolicyDocument})
    def get(self, _request: Request, policy: str) -> Response:
        """Read a policy; its ETag is what If-Match of a change takes."""
        return _tagged(reading.find(self.principal, policy))

    @operation(
        "policies.change",
        tag="policies",
        body=PolicyChanges,
        parameters=[VERSION],
        answers={200: PolicyDocument},
    )
    def patch(self, request: Request, policy: str) -> Response:
        """Change a policy; what waits is decided as it was asked."""
        changed = policy_catalogue.change(
            principal=self.principal,
            policy=policy,
            changes=self.ordered(PolicyChanges).given(),
            version=version(request.headers.get("If-Match", "")),
        )
        return _tagged(changed.policy)

    @operation("policies.remove", tag="policies", answers={204: None})
    def delete(self, _request: Request, policy: str) -> Response:
        """Remove a policy that no agent goes by."""
        policy_catalogue.remove(principal=self.principal, policy=policy)
        return Response(status=204)


class Try(Endpoint):
    """What would happen with this call."""

    examples = {"POST": {"tool": "orders.place", "arguments": {"quantity": 5}, "rules": EXAMPLE}}

    @operation("policies.try", tag="policies", body=TryInput, answers={200: VerdictDocument})
    @once
    def post(self, _request: Request) -> Response:
        """Ask policies about a call that nobody makes; nothing is written."""
        order = self.ordered(TryInput)
        verdict = rehearsal.judge(
            principal=self.principal,
            facts=order.facts(),
            slugs=order.policies,
            rules=order.rules,
        )
        document = VerdictDocument(
            verdict=verdict.kind,
            rule=verdict.rule,
            who=msgspec.to_builtins(verdict.who),
            seconds=verdict.seconds,
            on_timeout=verdict.on_timeout,
            stops_clock=verdict.stops_clock,
        )
        return Response(codecs.show(document))


def policy(row: Policy) -> PolicyDocument:
    """The document of a policy."""
    names = ("slug", "name", "description", "rules", "is_system", "version")
    return PolicyDocument(
        team=row.team.name if row.team else None,
        created_at=row.created_at,
        updated_at=row.updated_at,
        **{name: getattr(row, name) for name in names},
    )


def _tagged(row: Policy, *, status: int = 200) -> Response:
    return Response(codecs.show(policy(row)), status=status, headers={"ETag": f'"{row.version}"'})
