"""Components, programs and credentials as the canonical interface shows them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from msgspec import Struct

from components.core import launching
from components.core.launching import Restart
from components.core.lifecycle import Role, State
from components.models import Component, Credential, Program
from streaming.api.codecs import Timestamp
from streaming.models import Cursor


class LaunchDocument(Struct, kw_only=True):
    """What launchers do for the program of a component; an exit code below 0 is a signal's."""

    state: launching.State
    is_wanted: bool
    host: str
    pid: int | None
    attempt: int
    restarts: int
    next_at: Timestamp | None
    started_at: Timestamp | None
    ended_at: Timestamp | None
    exit_code: int | None
    error: str


class CursorDocument(Struct, kw_only=True):
    """Up to where a component says that it has processed a topic."""

    topic: str
    position: str
    updated_at: Timestamp


class ComponentDocument(Struct, kw_only=True):
    """A live participant of one session; `cursors` is null in lists."""

    id: UUID
    session_id: UUID
    name: str
    role: Role
    required: bool
    state: State
    is_late: bool
    is_data_connected: bool
    capabilities: dict[str, Any]
    topics: list[str]
    version: str
    error: str
    fence: int
    created_at: Timestamp
    registered_at: Timestamp | None
    ready_at: Timestamp | None
    running_at: Timestamp | None
    lost_at: Timestamp | None
    stopped_at: Timestamp | None
    last_heartbeat_at: Timestamp | None
    updated_at: Timestamp
    program: str | None
    launch: LaunchDocument | None
    cursors: list[CursorDocument] | None


class ComponentList(Struct, kw_only=True):
    """All components of a session."""

    data: list[ComponentDocument]


class ComponentPage(ComponentList, kw_only=True):
    """Components, and the cursor of the page that follows (empty after the last)."""

    next: str


class ProgramDocument(Struct, kw_only=True):
    """
    A command that an administrator registered.

    `environment` has the values of its variables only for those who may write them; `team` may
    use it, null is every team.
    """

    id: UUID
    name: str
    argv: list[str]
    environment: dict[str, str]
    directory: str
    restart: Restart
    restart_limit: int
    backoff_seconds: float
    backoff_most_seconds: float
    settled_seconds: float
    stop_grace_seconds: float
    team: str | None
    created_by: str
    created_at: Timestamp
    updated_at: Timestamp


class ProgramPage(Struct, kw_only=True):
    """Programs, and the cursor of the page that follows (empty after the last)."""

    data: list[ProgramDocument]
    next: str


class CredentialDocument(Struct, kw_only=True):
    """A secret with scopes; what is kept does not open anything."""

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    patterns: list[str]
    team: str | None
    session_id: UUID | None
    component_id: UUID | None
    created_by: str
    created_at: Timestamp
    expires_at: Timestamp | None
    revoked_at: Timestamp | None
    last_used_at: Timestamp | None
    last_used_transport: str


class CredentialPage(Struct, kw_only=True):
    """Credentials, and the cursor of the page that follows (empty after the last)."""

    data: list[CredentialDocument]
    next: str


class SecretDocument(Struct, kw_only=True):
    """A new credential and its secret, which is shown this once."""

    secret: str
    credential: CredentialDocument


HIDDEN = "***"
LAUNCH_FIELDS = LaunchDocument.__struct_fields__
COMPONENT_FIELDS = tuple(
    name
    for name in ComponentDocument.__struct_fields__
    if name not in {"program", "launch", "cursors"}
)
PROGRAM_FIELDS = tuple(
    name for name in ProgramDocument.__struct_fields__ if name not in {"team", "environment"}
)
CREDENTIAL_FIELDS = tuple(name for name in CredentialDocument.__struct_fields__ if name != "team")


def component(row: Component, cursors: Iterable[Cursor] | None = None) -> ComponentDocument:
    """The document of a component whose program and launch were read with it."""
    launch = getattr(row, "launch", None)
    return ComponentDocument(
        **{name: getattr(row, name) for name in COMPONENT_FIELDS},
        program=row.program.name if row.program else None,
        launch=LaunchDocument(**{name: getattr(launch, name) for name in LAUNCH_FIELDS})
        if launch
        else None,
        cursors=None if cursors is None else [_cursor(one) for one in cursors],
    )


def _cursor(row: Cursor) -> CursorDocument:
    return CursorDocument(
        topic=row.log.name, position=f"{row.epoch}:{row.seq}:{row.ck}", updated_at=row.updated_at
    )


def program(row: Program, *, is_whole: bool) -> ProgramDocument:
    """The document of a program whose team was read with it, with or without what it is told."""
    environment = row.environment if is_whole else dict.fromkeys(row.environment, HIDDEN)
    return ProgramDocument(
        **{name: getattr(row, name) for name in PROGRAM_FIELDS},
        environment=environment,
        team=row.team.name if row.team else None,
    )


def credential(row: Credential) -> CredentialDocument:
    """The document of a credential whose team was read with it."""
    values = {name: getattr(row, name) for name in CREDENTIAL_FIELDS}
    return CredentialDocument(**values, team=row.team.name if row.team else None)
