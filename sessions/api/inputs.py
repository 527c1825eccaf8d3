"""What may be said to the canonical interface about a session."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from components.core.lifecycle import Role
from components.services.registry import Expected
from sessions.core.conversation import OF_CHAT
from sessions.core.lifecycle import Environment, Kind, Mode
from sessions.services.applying import OBJECTS, Wishes
from sessions.services.creation import Draft
from streaming.api import codecs
from streaming.api.codecs import Timestamp
from streaming.api.documents import PageQuery, Topics

Key = Annotated[
    str,
    Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._~-]{0,127})?$", description="No word of an address."),
]
Name = Annotated[str, Meta(max_length=200)]
Label = Annotated[str, Meta(max_length=200)]
Agent = Annotated[str, Meta(max_length=100)]
Team = Annotated[str, Meta(max_length=150)]
Template = Annotated[str, Meta(max_length=100, description="The slug of a template.")]
Reason = Annotated[str, Meta(max_length=500)]


Config = Annotated[
    dict[str, Any],
    Meta(
        description="How it runs. `topics` is a list of rules for topics, the first whose `pattern`"
        " matches counting: `retention` {records, bytes, age_seconds} bounds what is kept at hand,"
        " `recorded` keeps it in the database as long as `tape` {days, bytes} says, `schema` is"
        " the JSON Schema of the data and `on_invalid` (refuse, quarantine) what becomes of other"
        " data. `source` says what a historical session replays. `max_messages`, `max_attachments`"
        " (of a message), `max_attachment_size` (bytes) and `timeout_minutes` (without use) bound"
        " its conversation; `admission` (reject, enqueue, interrupt, rollback) says what becomes"
        " of messages that come while its agent works."
    ),
]
ComponentName = Annotated[str, Meta(min_length=1, max_length=128)]


class ComponentInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A component that the session counts on."""

    name: ComponentName
    role: Role = Role.OBSERVER
    required: bool = True
    topics: Topics = []
    program: Annotated[str, Meta(max_length=100)] = ""


Components = Annotated[list[ComponentName | ComponentInput], Meta(max_length=200)]


def expected(components: list[str | ComponentInput]) -> list[Expected]:
    """What the register of components understands; a bare name is a required observer."""
    named = (ComponentInput(name=one) if isinstance(one, str) else one for one in components)
    return [
        Expected(
            name=one.name,
            role=one.role,
            required=one.required,
            topics=tuple(one.topics),
            program=one.program,
        )
        for one in named
    ]


class SessionInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    A new session.

    Without `key` its UUID is its key; without `kind` it is a stream, or a chat when it has an
    agent: that one holds 100 messages with 10 attachments of 10 MiB each and ends after an hour in
    which nobody used it, unless `config` says otherwise. With a `template` it is as that says, and
    what is said here is added to it; the template says the kind. With `token` the answer carries a session
    token, shown this once.
    """

    key: Key = ""
    name: Name = ""
    kind: Kind | UnsetType = UNSET
    template: Template = ""
    mode: Mode | UnsetType = UNSET
    environment: Environment | UnsetType = UNSET
    agent: Agent = ""
    owner_label: Label = ""
    team: Team = ""
    context: dict[str, Any] = {}
    config: Config = {}
    memory: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    expires_at: Timestamp | None = None
    components: Components = []
    token: bool = False

    def __post_init__(self) -> None:
        codecs.check_kept(self.context, self.config, self.memory, self.metadata)
        if self.expires_at is not None:
            self.expires_at = codecs.in_utc(self.expires_at)
        if self.template and (self.kind is not UNSET or self.expires_at is not None):
            raise ValueError("With a template neither kind nor expires_at is said")

    def draft(self) -> Draft:
        """What the service that makes sessions takes."""
        is_plain_chat = bool(self.agent) and self.kind is UNSET
        default = Kind.CHAT if is_plain_chat else Kind.STREAM
        return Draft(
            key=self.key,
            name=self.name,
            kind=default if self.kind is UNSET else self.kind,
            mode=Mode.REALTIME if self.mode is UNSET else self.mode,
            environment=(
                Environment.DEVELOPMENT if self.environment is UNSET else self.environment
            ),
            agent=self.agent,
            owner_label=self.owner_label,
            team=self.team,
            context=self.context,
            config={**OF_CHAT, **self.config} if is_plain_chat else self.config,
            memory=self.memory,
            metadata=self.metadata,
            expires_at=self.expires_at,
        )

    def wishes(self) -> Wishes:
        """What the service that applies templates takes."""
        return Wishes(
            key=self.key,
            name=self.name,
            mode=None if self.mode is UNSET else self.mode,
            environment=None if self.environment is UNSET else self.environment,
            agent=self.agent,
            team=self.team,
            owner_label=self.owner_label,
            objects={name: getattr(self, name) for name in OBJECTS},
            expected=tuple(expected(self.components)),
        )


EXAMPLE = {
    "key": "btc",
    "name": "BTC prices",
    "mode": "realtime",
    "environment": "development",
    "components": [{"name": "prices", "role": "feed", "topics": ["klines.**"]}],
    "context": {},
    "token": True,
}


class SessionChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields of a session that may be changed; those left out stay."""

    name: Name | UnsetType = UNSET
    context: dict[str, Any] | UnsetType = UNSET
    config: Config | UnsetType = UNSET
    memory: dict[str, Any] | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    owner_label: Label | UnsetType = UNSET
    expires_at: Timestamp | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        codecs.check_kept(self.context, self.config, self.memory, self.metadata)
        if isinstance(self.expires_at, datetime):
            self.expires_at = codecs.in_utc(self.expires_at)

    def given(self) -> dict[str, Any]:
        """Only what was said."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in values.items() if value is not UNSET}


class ReasonInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why; it stands in the ledger and the audit."""

    reason: Reason = ""


class AssignInput(ReasonInput, kw_only=True, forbid_unknown_fields=True):
    """Whose the session shall be: a person of its team, or `shared` for the team itself."""

    owner: Annotated[str, Meta(min_length=1, max_length=150)]


class ResultInput(ReasonInput, kw_only=True, forbid_unknown_fields=True):
    """What came of the session: any JSON value."""

    result: Any = None

    def __post_init__(self) -> None:
        codecs.check_kept(self.result)


class FailureBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """What broke."""

    message: Annotated[str, Meta(min_length=1, max_length=2000)]
    code: Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]{0,63}\Z")] = "SESSION_FAILED"
    details: dict[str, Any] = {}

    def __post_init__(self) -> None:
        codecs.check_kept(self.details)


class FailureInput(ReasonInput, kw_only=True, forbid_unknown_fields=True):
    """Why the session counts as broken."""

    error: FailureBody

    def as_dict(self) -> dict[str, Any]:
        """The error as every error is kept."""
        error = self.error
        return {"code": error.code, "message": error.message, "details": error.details}


class AttachInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """Components that the session counts on; a name that is there already is updated."""

    components: Components


class TokenInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A session token for every component, or for the one named; without end unless it has one."""

    component: Annotated[str, Meta(max_length=128)] = ""
    patterns: Topics = []
    lifetime_seconds: Annotated[int, Meta(ge=1, le=31_536_000)] | None = None

    @property
    def lifetime(self) -> timedelta | None:
        """How long it opens the sockets."""
        return timedelta(seconds=self.lifetime_seconds) if self.lifetime_seconds else None


class ListQuery(PageQuery, kw_only=True):
    """Which sessions, in which order."""

    ordering: Literal["-created_at", "created_at", "-last_activity_at", "last_activity_at"] = (
        "-created_at"
    )


class FieldsQuery(Struct, kw_only=True):
    """Which fields of one document."""

    fields: Annotated[
        str, Meta(max_length=1000, description="Only these fields, with commas between.")
    ] = ""


class StartQuery(Struct, kw_only=True):
    """How long to wait for a start that waits for components."""

    wait: Annotated[float, Meta(ge=0, le=60, description="Seconds to wait at most.")] = 0
