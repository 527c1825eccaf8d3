"""Components and credentials as the canonical interface shows them."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from components.core.lifecycle import Role, State
from components.models import Component, Credential
from streaming.api.codecs import Timestamp


class ComponentDocument(Struct, kw_only=True):
    """A live participant of one session."""

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


class ComponentList(Struct, kw_only=True):
    """All components of a session."""

    data: list[ComponentDocument]


class ComponentPage(ComponentList, kw_only=True):
    """Components, and the cursor of the page that follows (empty after the last)."""

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


COMPONENT_FIELDS = ComponentDocument.__struct_fields__
CREDENTIAL_FIELDS = tuple(name for name in CredentialDocument.__struct_fields__ if name != "team")


def component(row: Component) -> ComponentDocument:
    """The document of a component."""
    return ComponentDocument(**{name: getattr(row, name) for name in COMPONENT_FIELDS})


def credential(row: Credential) -> CredentialDocument:
    """The document of a credential whose team was read with it."""
    values = {name: getattr(row, name) for name in CREDENTIAL_FIELDS}
    return CredentialDocument(**values, team=row.team.name if row.team else None)
