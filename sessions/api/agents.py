"""The catalogue of agents and the providers of their models."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth.models import Group
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import agent_documents as documents
from sessions.api import health
from sessions.api.agent_documents import (
    AgentChanges,
    AgentCheckInput,
    AgentDocument,
    AgentInput,
    AgentPage,
    CardDocument,
    ProviderChanges,
    ProviderDocument,
    ProviderInput,
    ProviderList,
)
from sessions.api.collection import version
from sessions.api.health import FindingList
from sessions.api.inputs import FieldsQuery
from sessions.models import Agent
from sessions.selectors import agents as catalogue
from sessions.selectors import providers as reached
from sessions.selectors import teams
from sessions.services import agents, providers
from sessions.toolbox import checking
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.documents import PageQuery
from streaming.api.schema import VERSION, operation
from streaming.selectors import pages


class Agents(Endpoint):
    """The agents that you may know of."""

    examples: ClassVar[Mapping[str, Any]] = {
        "POST": {
            "slug": "analyst",
            "name": "Analyst",
            "model": "default",
            "instructions": "You explain what happens in the session.",
        }
    }

    @operation(
        "agents.list",
        tag="agents",
        query=PageQuery,
        fields=AgentDocument,
        answers={200: AgentPage},
    )
    def get(self, _request: Request) -> Response:
        """List agents, the newest first."""
        query = self.asked(PageQuery)
        rows = catalogue.readable(self.principal)
        page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
        found = [codecs.show(documents.agent(one)) for one in page.rows]
        return Response(
            {"data": codecs.pick(found, query.fields, AgentDocument), "next": page.next}
        )

    @operation("agents.create", tag="agents", body=AgentInput, answers={201: AgentDocument})
    @once
    def post(self, _request: Request) -> Response:
        """Enter an agent in the catalogue."""
        order = self.ordered(AgentInput)
        team = _team(self, order.team)
        made = agents.create(principal=self.principal, draft=order.draft(), team=team)
        response = _answer(made.agent, status=201)
        response["Location"] = f"/api/v1/agents/{made.agent.slug}"
        return response


class OneAgent(Endpoint):
    """One agent, by its slug."""

    examples: ClassVar[Mapping[str, Any]] = {"PATCH": {"instructions": "Answer in one sentence."}}

    @operation(
        "agents.read",
        tag="agents",
        query=FieldsQuery,
        fields=AgentDocument,
        answers={200: AgentDocument},
    )
    def get(self, _request: Request, agent: str) -> Response:
        """Read an agent; its ETag is what If-Match of a change takes."""
        fields = self.asked(FieldsQuery).fields
        return _answer(catalogue.read(self.principal, agent), fields=fields)

    @operation(
        "agents.change",
        tag="agents",
        body=AgentChanges,
        parameters=[VERSION],
        answers={200: AgentDocument},
    )
    def patch(self, request: Request, agent: str) -> Response:
        """Change an agent; runs that work hear of it at their next request."""
        changes = documents.given(self.ordered(AgentChanges))
        if "team" in changes:
            changes["team"] = _team(self, changes["team"])
        changed = agents.update(
            principal=self.principal,
            agent=agent,
            changes=changes,
            version=version(request.headers.get("If-Match", "")),
        )
        return _answer(changed.agent)

    @operation("agents.remove", tag="agents", answers={204: None})
    def delete(self, _request: Request, agent: str) -> Response:
        """Take an agent out of the catalogue; what its runs said stays."""
        agents.remove(principal=self.principal, agent=agent)
        return Response(status=204)


class Card(Endpoint):
    """The card of an agent."""

    @operation("agents.card", tag="agents", answers={200: CardDocument})
    def get(self, _request: Request, agent: str) -> Response:
        """Read what an agent says of itself."""
        row = catalogue.find(self.principal, agent)
        return Response(codecs.show(documents.card(row)), headers={"ETag": _tag(row)})


class CheckAgent(Endpoint):
    """Whether an agent could work now."""

    examples: ClassVar[Mapping[str, Any]] = {"POST": {"call": False}}

    @operation("agents.check", tag="agents", body=AgentCheckInput, answers={200: FindingList})
    @once
    def post(self, _request: Request, agent: str) -> Response:
        """
        Look at its use, model, tools and policy; an `error` is what keeps it from working.

        With `call` its model is asked one short question, too, of which nothing is kept; that
        needs runs:write, and may cost.
        """
        order = self.ordered(AgentCheckInput)
        return health.listed(checking.check(self.principal, agent, calls=order.call))


class Providers(Endpoint):
    """Where models are reached."""

    examples: ClassVar[Mapping[str, Any]] = {
        "POST": {"slug": "local", "kind": "openai", "base_url": "http://127.0.0.1:11434/v1"}
    }

    @operation("providers.list", tag="agents", answers={200: ProviderList})
    def get(self, _request: Request) -> Response:
        """List providers by slug; their keys are not shown."""
        rows = reached.readable(self.principal)
        return Response({"data": [codecs.show(documents.provider(one)) for one in rows]})

    @operation(
        "providers.create", tag="agents", body=ProviderInput, answers={201: ProviderDocument}
    )
    @once
    def post(self, _request: Request) -> Response:
        """Register a provider; only an administrator may."""
        draft = self.ordered(ProviderInput).draft()
        made = providers.create(principal=self.principal, draft=draft)
        return Response(codecs.show(documents.provider(made.provider)), status=201)


class OneProvider(Endpoint):
    """One provider, by its slug."""

    @operation("providers.read", tag="agents", answers={200: ProviderDocument})
    def get(self, _request: Request, provider: str) -> Response:
        """Read a provider."""
        row = reached.read(self.principal, provider)
        return Response(codecs.show(documents.provider(row)))

    @operation(
        "providers.change", tag="agents", body=ProviderChanges, answers={200: ProviderDocument}
    )
    def patch(self, _request: Request, provider: str) -> Response:
        """Change a provider; another address needs its key again."""
        changes = documents.given(self.ordered(ProviderChanges))
        changed = providers.update(principal=self.principal, provider=provider, changes=changes)
        return Response(codecs.show(documents.provider(changed.provider)))

    @operation("providers.remove", tag="agents", answers={204: None})
    def delete(self, _request: Request, provider: str) -> Response:
        """Forget a provider and its key."""
        providers.remove(principal=self.principal, provider=provider)
        return Response(status=204)


def _answer(row: Agent, *, status: int = 200, fields: str = "") -> Response:
    [shown] = codecs.pick([codecs.show(documents.agent(row))], fields, AgentDocument)
    return Response(shown, status=status, headers={"ETag": _tag(row)})


def _tag(row: Agent) -> str:
    return f'"{row.version}"'


def _team(view: Endpoint, name: str) -> Group | None:
    """The team named, else the only one of the principal; nobody's for who is of every team."""
    if not name and view.principal.teams is None:
        return None
    return teams.for_new(view.principal, name)
