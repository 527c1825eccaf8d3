"""What wakes agents by itself."""

from typing import Annotated, Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api.agent_documents import given
from sessions.models import Trigger
from sessions.selectors import agents as catalogue
from sessions.selectors import triggers as reading
from sessions.services import triggers
from sessions.services.triggers import TriggerDraft
from streaming.api import codecs
from streaming.api.base import Endpoint, once
from streaming.api.codecs import Timestamp
from streaming.api.documents import PageQuery
from streaming.api.schema import operation
from streaming.selectors import pages

MOST_SECONDS = 366 * 86_400


class TriggerDocument(Struct, kw_only=True):
    """
    What wakes an agent: records of a topic `pattern`, or a `schedule` (cron, UTC).

    `session` is the one that it is of; null is every running session that has the agent.
    """

    id: UUID
    agent: str
    session: UUID | None
    session_key: str
    pattern: str
    schedule: str
    condition: dict[str, Any]
    prompt: str
    cooldown_seconds: int
    is_active: bool
    last_at: Timestamp | None
    next_at: Timestamp | None
    created_at: Timestamp


class TriggerPage(Struct, kw_only=True):
    """Triggers, and the cursor of the page that follows; an empty one after the last page."""

    data: list[TriggerDocument]
    next: str


class TriggerInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    What is to wake an agent, and what it is told.

    `condition` is `{"all": […], "any": […]}` of a path in the record, an operator and a value, as
    in policies. In `prompt`, `{topic}` and `{data}` stand for the record.
    """

    pattern: Annotated[str, Meta(max_length=200)] = ""
    schedule: Annotated[str, Meta(max_length=100)] = ""
    condition: dict[str, Any] = {}
    prompt: Annotated[str, Meta(max_length=10_000)] = ""
    cooldown_seconds: Annotated[int, Meta(ge=0, le=MOST_SECONDS)] = 60
    session: Annotated[str, Meta(max_length=128)] | None = None

    def __post_init__(self) -> None:
        codecs.check_kept(self.condition)

    def draft(self) -> TriggerDraft:
        """What the service that makes triggers takes."""
        return TriggerDraft(**{name: getattr(self, name) for name in self.__struct_fields__})


class TriggerChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields of a trigger that are to change; a pattern takes the place of a schedule."""

    pattern: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET
    schedule: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET
    condition: dict[str, Any] | UnsetType = UNSET
    prompt: Annotated[str, Meta(max_length=10_000)] | UnsetType = UNSET
    cooldown_seconds: Annotated[int, Meta(ge=0, le=MOST_SECONDS)] | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        codecs.check_kept(None if self.condition is UNSET else self.condition)


class TrialInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A record that nobody publishes; of a schedule nothing is needed."""

    topic: Annotated[str, Meta(max_length=200)] = ""
    data: Any = None


class TriggerTrialDocument(Struct, kw_only=True):
    """
    What a record would do: whether it wakes the agent, and `why` not.

    `prompt` is what the agent would be told, `sessions` the keys of those that run where it would
    be woken (the first twenty), `next` the moments at which a schedule comes next.
    """

    wakes: bool
    why: str
    prompt: str
    sessions: list[str]
    next: list[Timestamp]


class TriggerQuery(PageQuery, kw_only=True):
    """Which triggers."""

    agent: Annotated[str, Meta(max_length=100, description="Only those of this agent.")] = ""


class Triggers(Endpoint):
    """What wakes agents."""

    @operation(
        "triggers.list",
        tag="agents",
        query=TriggerQuery,
        fields=TriggerDocument,
        answers={200: TriggerPage},
    )
    def get(self, _request: Request) -> Response:
        """List the triggers of the agents that you know of, the newest first."""
        query = self.asked(TriggerQuery)
        rows = reading.readable(self.principal)
        if query.agent:
            rows = rows.filter(agent=catalogue.read(self.principal, query.agent))
        return _page(rows, query)


class AgentTriggers(Endpoint):
    """What wakes one agent."""

    examples = {
        "POST": {
            "pattern": "prices.*",
            "condition": {"all": [{"path": "change", "op": "lt", "value": -5}]},
            "prompt": "{topic} fell: {data}. Say what happened.",
        }
    }

    @operation(
        "agents.triggers",
        tag="agents",
        query=PageQuery,
        fields=TriggerDocument,
        answers={200: TriggerPage},
    )
    def get(self, _request: Request, agent: str) -> Response:
        """List the triggers of an agent, the newest first."""
        query = self.asked(PageQuery)
        rows = reading.readable(self.principal)
        rows = rows.filter(agent=catalogue.read(self.principal, agent))
        return _page(rows, query)

    @operation(
        "agents.triggers.create", tag="agents", body=TriggerInput, answers={201: TriggerDocument}
    )
    @once
    def post(self, _request: Request, agent: str) -> Response:
        """Let records of topics, or the clock, wake an agent."""
        principal = self.principal
        principal.require("agents:write")
        found = catalogue.find(principal, agent)
        draft = self.ordered(TriggerInput).draft()
        made = triggers.create(principal=principal, agent=found, draft=draft)
        return Response(codecs.show(document(made.trigger)), status=201)


class OneTrigger(Endpoint):
    """One trigger."""

    examples = {"PATCH": {"is_active": False}}

    @operation("triggers.read", tag="agents", answers={200: TriggerDocument})
    def get(self, _request: Request, trigger: str) -> Response:
        """Read a trigger."""
        return Response(codecs.show(document(reading.find(self.principal, trigger))))

    @operation("triggers.change", tag="agents", body=TriggerChanges, answers={200: TriggerDocument})
    def patch(self, _request: Request, trigger: str) -> Response:
        """Change what wakes the agent, or let it rest; what has begun goes on."""
        changes = given(self.ordered(TriggerChanges))
        changed = triggers.update(principal=self.principal, trigger=trigger, changes=changes)
        return Response(codecs.show(document(changed.trigger)))

    @operation("triggers.delete", tag="agents", answers={204: None})
    def delete(self, _request: Request, trigger: str) -> Response:
        """Take a trigger away; its runs stay."""
        triggers.remove(principal=self.principal, trigger=trigger)
        return Response(status=204)


class Trial(Endpoint):
    """What a record would do."""

    examples = {"POST": {"topic": "prices.BTC", "data": {"change": -6.5}}}

    @operation("triggers.test", tag="agents", body=TrialInput, answers={200: TriggerTrialDocument})
    @once
    def post(self, _request: Request, trigger: str) -> Response:
        """Say what a record would do, or when a schedule comes next; nothing is begun."""
        row = reading.find(self.principal, trigger)
        asked = self.ordered(TrialInput)
        found = reading.trial(row, topic=asked.topic, data=asked.data, now=timezone.now())
        return Response(codecs.show(trial(found)))


def _page(rows: QuerySet[Trigger], query: PageQuery) -> Response:
    page = pages.page(rows, order="-created_at", cursor=query.cursor, limit=query.limit)
    shown = [codecs.show(document(one)) for one in page.rows]
    found = codecs.pick(shown, query.fields, TriggerDocument)
    return Response({"data": found, "next": page.next})


def trial(found: reading.Trial) -> TriggerTrialDocument:
    """The document of what a record would do."""
    names = TriggerTrialDocument.__struct_fields__
    return TriggerTrialDocument(**{name: getattr(found, name) for name in names})


def document(row: Trigger) -> TriggerDocument:
    """The document of a trigger."""
    return TriggerDocument(
        id=row.pk,
        agent=row.agent.slug,
        session=row.session_id,
        session_key=row.session.key if row.session else "",
        **{name: getattr(row, name) for name in SAME},
    )


SAME = (
    *("pattern", "schedule", "condition", "prompt", "cooldown_seconds", "is_active"),
    *("last_at", "next_at", "created_at"),
)
