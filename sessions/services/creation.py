"""Making sessions and declaring who takes part in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction

from aegis_project import statements
from aegis_project.kit.errors import InvalidState, PreconditionFailed, ValidationFailed
from aegis_project.kit.principal import Principal
from aegis_project.kit.quotas import Quota
from aegis_project.rates import Counted
from components.services import credentials, registry
from components.services.credentials import Issued
from components.services.registry import Expected
from sessions import metrics
from sessions.core import checkpoints, conversation, keys, lifecycle, texts
from sessions.core.errors import SessionAlreadyExists
from sessions.core.events import SessionEvent
from sessions.core.lifecycle import Environment, Kind, Mode, State
from sessions.models import Session
from sessions.selectors import sessions, teams
from sessions.services import quotas, replays, telling
from sessions.services.lifecycle import Reference
from sessions.services.outcome import Outcome
from streaming.core import rules
from streaming.services.commands import command

EDITABLE = ("name", "context", "config", "memory", "metadata", "owner_label", "expires_at")


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody who creates a session may say; an empty ``key`` becomes the UUID."""

    key: str = ""
    name: str = ""
    kind: Kind = Kind.STREAM
    mode: Mode = Mode.REALTIME
    environment: Environment = Environment.DEVELOPMENT
    agent: str = ""
    owner_label: str = ""
    team: str = ""
    context: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    expires_at: datetime | None = None
    template: str = ""
    template_version: int | None = None


@command("session.create", scope="sessions:write", rate=Counted.CREATE)
def create(
    *,
    principal: Principal,
    draft: Draft,
    expected: Sequence[Expected] = (),
    with_token: bool = False,
) -> Outcome:
    """
    Make a session in ``created``, with its ledger, expected components and, if asked, a token.

    :raises ValidationFailed: for a key, text, source or topic rules that cannot be
    :raises SessionAlreadyExists: if the team has a session with this key
    :raises QuotaExceeded: if the team has as many open sessions as it may
    """
    return make(principal=principal, draft=draft, expected=expected, with_token=with_token)


def make(
    *,
    principal: Principal,
    draft: Draft,
    expected: Sequence[Expected] = (),
    with_token: bool = False,
) -> Outcome:
    """The same in the transaction of another command."""
    session = _insert(principal, draft)
    telling.begin(
        session,
        actor=principal.actor,
        key=session.key,
        name=session.name,
        kind=session.kind,
        mode=session.mode,
        environment=session.environment,
    )
    transaction.on_commit(metrics.sessions.inc)
    replays.prepare(session, principal=principal)
    if expected:
        registry.expect(session=session, expected=expected, actor=principal.actor)
        session.refresh_from_db(fields=["component_count"])
    secret = _token(session, principal).secret if with_token else ""
    return Outcome(session, State.CREATED.value, secret=secret)


def _insert(principal: Principal, draft: Draft) -> Session:
    texts.check(name=draft.name, agent=draft.agent, owner_label=draft.owner_label)
    check_config(draft.config)
    session_id = uuid4()
    team = teams.for_new(principal, draft.team)
    quotas.admit(team.pk, Quota.OPEN_SESSIONS)
    session = statements.new(
        Session,
        id=session_id,
        key=_free_key(draft.key) if draft.key else str(session_id),
        team=team,
        owner_id=principal.user_id,
        owner_label=draft.owner_label or principal.label,
        kind=draft.kind.value,
        mode=draft.mode.value,
        environment=draft.environment.value,
        agent=draft.agent,
        template=draft.template,
        template_version=draft.template_version,
        **{name: getattr(draft, name) for name in EDITABLE if name != "owner_label"},
    )
    if session.expires_at is None:
        session.expires_at = conversation.expiry(session.config, now=session.created_at)
    try:
        # Without a savepoint: nothing else stands in the command that is refused so.
        statements.insert(session)
    except IntegrityError:
        raise SessionAlreadyExists(
            f"A session with the key {session.key} exists.", key=session.key
        ) from None
    return session


def check_config(config: dict[str, Any]) -> None:
    """
    Go on only with a config that can be.

    :raises ValidationFailed: for topic rules, limits, an admission or checkpoints that cannot be
    """
    rules.read(config.get("topics"))
    conversation.limits(config)
    conversation.admission(config)
    checkpoints.rules(config)


def _free_key(key: str) -> str:
    keys.check(key)
    uuid = keys.as_uuid(key)
    if uuid is not None and Session.objects.filter(pk=uuid).exists():
        raise SessionAlreadyExists(f"A session with the id {key} exists.", key=key)
    return key


@command("session.attach", scope="sessions:control")
def attach(*, principal: Principal, session: Reference, expected: Sequence[Expected]) -> Outcome:
    """
    Declare components that a session counts on; the outcome carries a session token.

    :raises SessionNotFound: if the session is not there for the principal
    :raises InvalidState: unless it is created, paused or stopped
    """
    row = Session.objects.locked(sessions.find(principal, session).pk)
    if State(row.state) not in lifecycle.ATTACHABLE:
        raise InvalidState(
            f"Cannot attach while {row.state}.",
            **{"from": row.state, "command": "attach", "allowed": row.legal()},
        )
    if not expected:
        raise ValidationFailed("At least one component is required.")
    registry.expect(session=row, expected=expected, actor=principal.actor)
    secret = _token(row, principal).secret
    row.refresh_from_db(fields=["component_count"])
    return Outcome(row, row.state, secret=secret)


@command("session.token", scope="sessions:control")
def issue_token(
    *,
    principal: Principal,
    session: Reference,
    component: str = "",
    patterns: Sequence[str] = (),
    lifetime: timedelta | None = None,
) -> Issued:
    """
    A further session token, for all components or for one, without end unless it has one.

    :raises SessionNotFound: if the session is not there for the principal
    :raises ComponentNotFound: if the component is not
    :raises PermissionDenied: for topics that the principal does not have
    :raises InvalidState: if it is closed
    """
    row = Session.objects.locked(sessions.find(principal, session).pk)
    if not row.is_open:
        raise InvalidState(
            f"Cannot issue a token while {row.state}.",
            **{"from": row.state, "command": "token", "allowed": row.legal()},
        )
    return _token(row, principal, component=component, patterns=patterns, lifetime=lifetime)


def _token(
    row: Session,
    principal: Principal,
    *,
    component: str = "",
    patterns: Sequence[str] = (),
    lifetime: timedelta | None = None,
) -> Issued:
    return credentials.session_token(
        principal=principal,
        session_id=row.pk,
        team_id=row.team_id,
        component=component,
        patterns=patterns,
        lifetime=lifetime,
    )


@command("session.update", scope="sessions:write")
def update(
    *,
    principal: Principal,
    session: Reference,
    changes: dict[str, Any],
    version: int | None = None,
) -> Outcome:
    """
    Change editable fields; ``version`` is what the caller last saw.

    :raises SessionNotFound: if it is not there for the principal
    :raises PreconditionFailed: if it has moved on since
    :raises InvalidState: if it is closed
    :raises ValidationFailed: for a text or topic rules that cannot be, or for another source
    """
    row = Session.objects.locked(sessions.find(principal, session).pk)
    if version is not None and version != row.version:
        raise PreconditionFailed(version=row.version)
    if not row.is_open:
        raise InvalidState(
            f"Cannot change a session that is {row.state}.",
            **{"from": row.state, "command": "update", "allowed": row.legal()},
        )
    changed = [name for name in EDITABLE if name in changes and changes[name] != getattr(row, name)]
    texts.check(**{name: changes[name] for name in changed if name in texts.LIMITS})
    check_config(changes.get("config", {}))
    replays.refuse_other_source(row, changes.get("config", row.config))
    if changed:
        _change(row, {name: changes[name] for name in changed}, principal)
    return Outcome(row, row.state)


def _change(row: Session, changes: dict[str, Any], principal: Principal) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    row.version += 1
    row.save()
    telling.tell(row, SessionEvent.UPDATED, actor=principal.actor, fields=sorted(changes))
