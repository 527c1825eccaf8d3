"""A session as the canonical interface shows it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from sessions.core.dialects import CONVERSATIONS
from sessions.core.lifecycle import Environment, Kind, Mode, State
from sessions.models import Session
from sessions.selectors.sessions import View
from streaming.api.codecs import Timestamp


class Participants(Struct, kw_only=True):
    """How many components are connected and prepared, and whom a start waits for."""

    present: int
    required: int
    total: int
    missing: list[str]


class SessionDocument(Struct, kw_only=True):
    """
    One supervised piece of live work.

    `status` is seed 004's word for `state`: created, active, suspended or ended. `allowed` are the
    commands that would not be refused now. `session_token` and
    `previous_state` stand only in answers that make or change something.
    """

    id: UUID
    key: str
    name: str
    state: State
    status: str
    conditions: list[str]
    allowed: list[str]
    kind: Kind
    mode: Mode
    environment: Environment
    agent: str
    owner: str | None
    owner_label: str
    team: str
    participants: Participants
    context: dict[str, Any]
    config: dict[str, Any]
    memory: dict[str, Any]
    metadata: dict[str, Any]
    tags: list[str]
    result: Any
    error: dict[str, Any] | None
    reason: str
    parent: UUID | None
    template: str
    template_version: int | None
    activation: int
    version: int
    uptime_seconds: float
    component_count: int
    message_count: int
    llm_token_count: int
    start_requested_at: Timestamp | None
    start_deadline_at: Timestamp | None
    created_at: Timestamp
    started_at: Timestamp | None
    stopped_at: Timestamp | None
    updated_at: Timestamp
    last_activity_at: Timestamp
    expires_at: Timestamp | None
    deleted_at: Timestamp | None
    previous_state: State | UnsetType = UNSET
    session_token: str | UnsetType = UNSET


class SessionPage(Struct, kw_only=True):
    """Sessions, and the cursor of the page that follows (empty after the last)."""

    data: list[SessionDocument]
    next: str


# Fields that the document takes from the row as they are.
PLAIN = tuple(
    name
    for name in SessionDocument.__struct_fields__
    if name in {field.attname for field in Session._meta.get_fields() if hasattr(field, "attname")}
)


def document(view: View, *, now: datetime, secret: str = "", previous: str = "") -> SessionDocument:
    """The session of a view; ``secret`` is a token that is shown this once."""
    row = view.session
    values = row.__dict__
    team, owner = _names(row)
    return SessionDocument(
        **{name: values[name] for name in PLAIN},
        status=CONVERSATIONS[State(row.state)],
        conditions=[condition.value for condition in view.conditions],
        allowed=row.legal(),
        owner=owner,
        team=team,
        participants=Participants(
            present=view.present_count,
            required=sum(one.required for one in view.participants),
            total=len(view.participants),
            missing=view.missing,
        ),
        parent=row.parent_id,
        uptime_seconds=round(row.uptime_seconds(now=now), 3),
        previous_state=State(previous) if previous else UNSET,
        session_token=secret or UNSET,
    )


def _names(row: Session) -> tuple[str, str | None]:
    """The names of its team and owner, which a list has read without the rows they are of."""
    values = row.__dict__
    if "team_name" in values:
        return values["team_name"], values["owner_name"]
    return row.team.name, row.owner.get_username() if row.owner else None
