"""Agents and providers as the canonical interface shows and takes them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from sessions.core.catalogue import LENGTHS, LONGEST_ITEM, MOST_ITEMS, AgentDraft, ProviderDraft
from sessions.models import Agent, Provider
from sessions.selectors import providers
from streaming.api import codecs
from streaming.api.codecs import Timestamp

Visibility = Literal["public", "internal", "private"]
Kind = Literal["openai", "azure", "anthropic"]
Slug = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")]
Name = Annotated[str, Meta(min_length=1, max_length=LENGTHS["name"])]
Description = Annotated[str, Meta(max_length=LENGTHS["description"])]
Instructions = Annotated[str, Meta(max_length=LENGTHS["instructions"])]
Items = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=LONGEST_ITEM)]], Meta(max_length=MOST_ITEMS)
]
Team = Annotated[str, Meta(max_length=150)]
Model = Annotated[
    str,
    Meta(
        max_length=200,
        description="`default`, or PROVIDER:MODEL: a provider's slug, `openai`, `azure`,"
        " `anthropic` or `scripted`, and the name that it has there.",
    ),
]
ModelSettings = Annotated[
    dict[str, Any],
    Meta(
        description="For the model: temperature, top_p, seed, stop_sequences, presence_penalty,"
        " frequency_penalty, parallel_tool_calls, thinking, max_output_tokens. For its tools:"
        " http_hosts (where it may fetch from), topics (patterns of those that it may read)."
    ),
]


class Skill(Struct, kw_only=True, forbid_unknown_fields=True):
    """Something that an agent can do, as its card says it."""

    id: Annotated[str, Meta(min_length=1, max_length=100)]
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    description: Annotated[str, Meta(max_length=2000)] = ""
    tags: Items = []
    examples: Items = []


Skills = Annotated[list[Skill], Meta(max_length=100)]


class CardDocument(Struct, kw_only=True):
    """What others are told of an agent before they ask it for anything."""

    slug: str
    name: str
    description: str
    version: str
    skills: list[dict[str, Any]]
    input_modes: list[str]
    output_modes: list[str]
    capabilities: list[str]


class AgentDocument(Struct, kw_only=True):
    """
    An entry of the catalogue.

    `policy` is the slug of the policy that decides on its tool calls, `team` the one it belongs to;
    null is every team.
    """

    slug: str
    name: str
    description: str
    skills: list[dict[str, Any]]
    input_modes: list[str]
    output_modes: list[str]
    model: str
    instructions: str
    tools: list[str]
    policy: str | None
    limits: dict[str, Any]
    settings: dict[str, Any]
    visibility: Visibility
    team: str | None
    is_active: bool
    version: int
    created_at: Timestamp
    updated_at: Timestamp


class AgentPage(Struct, kw_only=True):
    """Agents, and the cursor of the page that follows (empty after the last)."""

    data: list[AgentDocument]
    next: str


class AgentInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A new agent; without a team it is of the maker's only one, or of every team."""

    slug: Slug
    name: Name
    description: Description = ""
    skills: Skills = []
    input_modes: Items = msgspec.field(default_factory=lambda: ["text/plain"])
    output_modes: Items = msgspec.field(default_factory=lambda: ["text/plain"])
    model: Model = "default"
    instructions: Instructions = ""
    tools: Items = []
    policy: Annotated[str, Meta(max_length=100)] = ""
    limits: dict[str, Any] = {}
    settings: ModelSettings = {}
    visibility: Visibility = "public"
    is_active: bool = True
    team: Team = ""

    def __post_init__(self) -> None:
        codecs.check_kept(self.limits, self.settings)

    def draft(self) -> AgentDraft:
        """What the service that makes agents takes."""
        return AgentDraft(
            **{name: plain(getattr(self, name)) for name in AgentDraft.__dataclass_fields__}
        )


class AgentCheckInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether the model of an agent is asked a short question, too."""

    call: bool = False


class AgentChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields of an agent that are to change; those left out stay."""

    slug: Slug | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    skills: Skills | UnsetType = UNSET
    input_modes: Items | UnsetType = UNSET
    output_modes: Items | UnsetType = UNSET
    model: Model | UnsetType = UNSET
    instructions: Instructions | UnsetType = UNSET
    tools: Items | UnsetType = UNSET
    policy: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET
    limits: dict[str, Any] | UnsetType = UNSET
    settings: ModelSettings | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    team: Team | UnsetType = UNSET

    def __post_init__(self) -> None:
        codecs.check_kept(self.limits, self.settings)


class ProviderDocument(Struct, kw_only=True):
    """
    Where models are reached.

    Its key is never shown; `is_complete` says whether it, or the environment, has what it takes.
    """

    slug: str
    kind: Kind
    base_url: str
    api_version: str
    has_secret: bool
    is_complete: bool
    created_at: Timestamp
    updated_at: Timestamp


class ProviderList(Struct, kw_only=True):
    """All providers, by slug."""

    data: list[ProviderDocument]


ProviderSlug = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_-]{0,49}$")]
BaseUrl = Annotated[str, Meta(max_length=500)]
Version = Annotated[str, Meta(max_length=32)]
Secret = Annotated[
    str, Meta(max_length=4096, description="The key; it is sealed and never shown again.")
]


class ProviderInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A new provider; `base_url` may be any address that speaks the interface of its kind."""

    slug: ProviderSlug
    kind: Kind = "openai"
    base_url: BaseUrl = ""
    api_version: Version = ""
    secret: Secret = ""

    def draft(self) -> ProviderDraft:
        """What the service that registers providers takes."""
        return ProviderDraft(
            **{name: getattr(self, name) for name in ProviderDraft.__dataclass_fields__}
        )


class ProviderChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields of a provider that are to change; an empty `secret` takes its key away."""

    slug: ProviderSlug | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    base_url: BaseUrl | UnsetType = UNSET
    api_version: Version | UnsetType = UNSET
    secret: Secret | UnsetType = UNSET


def given(order: Struct) -> dict[str, Any]:
    """Only what was said."""
    values = {name: getattr(order, name) for name in order.__struct_fields__}
    return {name: plain(value) for name, value in values.items() if value is not UNSET}


def plain(value: Any) -> Any:
    """The value as rows keep it."""
    if not isinstance(value, list):
        return value
    return [codecs.show(one) if isinstance(one, Skill) else one for one in value]


PLAIN = tuple(name for name in AgentDocument.__struct_fields__ if name not in {"policy", "team"})


def agent(row: Agent) -> AgentDocument:
    """The document of an agent."""
    return AgentDocument(
        **{name: getattr(row, name) for name in PLAIN},
        policy=row.policy.slug if row.policy else None,
        team=row.team.name if row.team else None,
    )


def card(row: Agent) -> CardDocument:
    """The card of an agent; its version is that of the entry."""
    return CardDocument(
        slug=row.slug,
        name=row.name,
        description=row.description,
        version=str(row.version),
        skills=row.skills,
        input_modes=row.input_modes,
        output_modes=row.output_modes,
        capabilities=["streaming", "multi_turn", *(["tools"] if row.tools else [])],
    )


def provider(row: Provider) -> ProviderDocument:
    """The document of a provider, without a word of its key."""
    values: Mapping[str, Any] = {
        name: getattr(row, name)
        for name in ("slug", "kind", "base_url", "api_version", "created_at", "updated_at")
    }
    return ProviderDocument(
        **values, has_secret=bool(row.secret), is_complete=providers.is_complete(row)
    )
