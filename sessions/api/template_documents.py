"""Templates as the canonical interface shows and takes them."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from sessions.api import inputs
from sessions.api.inputs import Agent, Components, Config, Key, Label, Name
from sessions.api.tags import TagName
from sessions.core import tags as labels
from sessions.core.differences import Difference
from sessions.core.lifecycle import Environment, Mode
from sessions.core.recipes import Category, Recipe
from sessions.models import Preset, PresetVersion
from sessions.selectors.presets import FORMAT, HIGHEST
from sessions.services.applying import OBJECTS, Wishes
from streaming.api import codecs
from streaming.api.codecs import Timestamp

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$", description="How it is called.")]
About = Annotated[str, Meta(max_length=10_000)]
Note = Annotated[str, Meta(max_length=200, description="What is new in this version.")]
Team = Annotated[str, Meta(max_length=150)]
Number = Annotated[int, Meta(ge=1, le=HIGHEST)]

EXAMPLE = {
    "kind": "stream",
    "components": [{"name": "prices", "role": "feed", "topics": ["klines.**"]}],
    "prompts": ["What moved most?"],
    "tags": ["work"],
    "config": {"topics": [{"pattern": "klines.**", "recorded": True}]},
}


class TemplateDocument(Struct, kw_only=True):
    """
    A versioned recipe for sessions; those of the system do not change.

    `version` is the one in use, `head` the newest.
    """

    slug: str
    name: str
    description: str
    category: Category
    team: str | None
    is_system: bool
    author: str
    version: int
    head: int
    use_count: int
    last_used_at: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp


class TemplatePage(Struct, kw_only=True):
    """Templates, and the cursor of the page that follows."""

    data: list[TemplateDocument]
    next: str


class VersionDocument(Struct, kw_only=True):
    """One version of a template: what a session of it begins with."""

    version: int
    is_active: bool
    recipe: Recipe
    note: str
    author: str
    created_at: Timestamp


class TemplateVersionList(Struct, kw_only=True):
    """The versions of a template, the newest first."""

    data: list[VersionDocument]


class TemplateDifferenceDocument(Struct, kw_only=True):
    """One place at which two versions differ, as a JSON pointer."""

    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any
    after: Any


class DifferenceList(Struct, kw_only=True):
    """What changed from one version to another."""

    before: int
    after: int
    data: list[TemplateDifferenceDocument]


class TemplateInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A new template; without a team it is of every team, which needs a say over all."""

    slug: Slug
    recipe: dict[str, Any]
    name: Name = ""
    description: About = ""
    category: Category = Category.CUSTOM
    team: Team = ""
    note: Note = ""

    def __post_init__(self) -> None:
        codecs.check_kept(self.recipe)


class FromSessionInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A new template from a session: who takes part, its settings, and its first messages."""

    slug: Slug
    session: Annotated[str, Meta(min_length=1, max_length=128)]
    messages: Annotated[int, Meta(ge=0, le=50)] = 0
    name: Name = ""
    description: About = ""
    category: Category = Category.CUSTOM
    team: Team = ""


class ExportDocument(Struct, kw_only=True, forbid_unknown_fields=True):
    """A template on its way to another Aegis."""

    slug: Slug
    recipe: dict[str, Any]
    name: Name = ""
    description: About = ""
    category: Category = Category.CUSTOM
    format: Literal["aegis.template/1"] = FORMAT  # type: ignore[assignment]  # it is that

    def __post_init__(self) -> None:
        codecs.check_kept(self.recipe)


class TemplateChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to change; a recipe becomes a new version, at once in use."""

    name: Name | UnsetType = UNSET
    description: About | UnsetType = UNSET
    category: Category | UnsetType = UNSET
    recipe: dict[str, Any] | None = None
    note: Note = ""

    def __post_init__(self) -> None:
        codecs.check_kept(self.recipe)

    def given(self) -> dict[str, Any]:
        """How it is to be called, as far as that was said."""
        values = {name: getattr(self, name) for name in ("name", "description", "category")}
        return {name: value for name, value in values.items() if value is not UNSET}


class ActivateInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which version sessions are to be made from."""

    version: Number


class TestInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which version is tried, by default the one in use."""

    version: Number | None = None


class ApplyInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    What a session of a template is to have of its own.

    What is not said is as the template says; members of objects are added to its own, and a
    component of the same name takes the place of the template's.
    """

    version: Number | None = None
    key: Key = ""
    name: Name = ""
    mode: Mode | None = None
    environment: Environment | None = None
    agent: Agent = ""
    owner_label: Label = ""
    team: Team = ""
    context: dict[str, Any] = {}
    config: Config = {}
    memory: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    components: Components = []
    tags: Annotated[list[TagName], Meta(max_length=labels.MOST_ON_A_SESSION)] = []
    token: bool = False

    def __post_init__(self) -> None:
        codecs.check_kept(self.context, self.config, self.memory, self.metadata)

    def wishes(self) -> Wishes:
        """What the service that applies templates takes."""
        return Wishes(
            version=self.version,
            key=self.key,
            name=self.name,
            mode=self.mode,
            environment=self.environment,
            agent=self.agent,
            team=self.team,
            owner_label=self.owner_label,
            objects={name: getattr(self, name) for name in OBJECTS},
            expected=tuple(inputs.expected(self.components)),
            tags=tuple(self.tags),
        )


class DifferenceQuery(Struct, kw_only=True):
    """Which two versions; the second is by default the one in use."""

    before: Number
    after: Number | None = None


class VersionQuery(Struct, kw_only=True):
    """Which version, by default the one in use."""

    version: Number | None = None


PLAIN = tuple(
    name for name in TemplateDocument.__struct_fields__ if name not in {"team", "category"}
)


def template(row: Preset) -> TemplateDocument:
    """The document of a template."""
    return TemplateDocument(
        **{name: getattr(row, name) for name in PLAIN},
        category=Category(row.category),
        team=row.team.name if row.team else None,
    )


def version(row: PresetVersion, *, active: int) -> VersionDocument:
    """The document of a version."""
    return VersionDocument(
        version=row.version,
        is_active=row.version == active,
        recipe=msgspec.convert(row.recipe, Recipe),
        note=row.note,
        author=row.author,
        created_at=row.created_at,
    )


def difference(found: Difference) -> TemplateDifferenceDocument:
    """The document of one place at which versions differ."""
    return TemplateDifferenceDocument(
        path=found.path,
        kind=found.kind,  # type: ignore[arg-type]  # it is one of the three
        before=found.before,
        after=found.after,
    )
