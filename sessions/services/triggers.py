"""Triggers: made, changed, taken away, and what happens when one is due."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from aegis_project import database
from aegis_project.kit import principal as principals
from aegis_project.kit.errors import PermissionDenied, QuotaExceeded, ValidationFailed
from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from sessions.core import cron
from sessions.core import triggers as rules
from sessions.core.conversation import Role
from sessions.core.lifecycle import State
from sessions.models import Agent, Run, Session, Trigger
from sessions.selectors import sessions
from sessions.selectors import triggers as reading
from sessions.services import messages, runs
from sessions.services.moving import Reference
from streaming.core import topics
from streaming.services.commands import Trace, command

logger = logging.getLogger(__name__)

CHANGEABLE = ("pattern", "schedule", "condition", "prompt", "cooldown_seconds", "is_active")


@dataclass(frozen=True, slots=True)
class TriggerDraft:
    """
    What wakes an agent: records of the topics of a ``pattern``, or a ``schedule`` (cron, UTC).

    Without a session it is of every running session that has the agent.
    """

    pattern: str = ""
    schedule: str = ""
    condition: Mapping[str, Any] | None = None
    prompt: str = ""
    cooldown_seconds: int = 60
    session: Reference | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A trigger that was made, changed or taken away."""

    trigger: Trigger
    fields: tuple[str, ...] = ()

    def audit(self) -> Trace:
        row = self.trigger
        named = {"agent": row.agent.slug, "pattern": row.pattern, "schedule": row.schedule}
        detail = {**named, "is_active": row.is_active, "fields": list(self.fields)}
        return Trace(session_id=row.session_id, target=str(row.pk), detail=detail)


@command("trigger.create", scope="agents:write")
def create(*, principal: Principal, agent: Agent, draft: TriggerDraft) -> Changed:
    """
    Let records or the clock wake an agent.

    :raises ValidationFailed: unless it has one cause, and that can be
    :raises UnknownTopic: for a pattern that is none
    :raises SessionNotFound: if its session is not there for the principal
    :raises PermissionDenied: if it is of every session, and the agent of no team of the principal
    """
    _check_cause(draft.pattern, draft.schedule, draft.condition or {})
    session = sessions.find(principal, draft.session) if draft.session is not None else None
    _check_reach(principal, agent, is_of_one=session is not None)
    row = Trigger.objects.create(
        agent=agent,
        session=session,
        pattern=draft.pattern,
        schedule=draft.schedule,
        condition=dict(draft.condition or {}),
        prompt=draft.prompt,
        cooldown_seconds=draft.cooldown_seconds,
        next_at=_next(draft.schedule) if draft.schedule else None,
    )
    return Changed(row)


@command("trigger.update", scope="agents:write")
def update(*, principal: Principal, trigger: UUID | str, changes: Mapping[str, Any]) -> Changed:
    """
    Change what wakes the agent, what it is told, how long it rests, and whether it is woken at all.

    Whose it is, and in which session, stays; what has begun goes on.

    :raises NotFound: if it is not there for the principal
    :raises ValidationFailed: for a field that is none, or unless it has one cause after
    :raises UnknownTopic: for a pattern that is none
    :raises PermissionDenied: as :func:`create`
    """
    found = reading.find(principal, trigger)
    _check_reach(principal, found.agent, is_of_one=found.session_id is not None)
    unknown = sorted(changes.keys() - set(CHANGEABLE))
    if unknown:
        raise ValidationFailed("These fields of a trigger cannot be changed.", fields=unknown)
    rows = Trigger.objects.select_for_update(of=("self",), no_key=True)
    row = rows.select_related("agent", "session").get(pk=found.pk)
    for name, value in changes.items():
        setattr(row, name, value)
    _check_cause(row.pattern, row.schedule, row.condition)
    if changes.keys() & {"schedule", "is_active"}:
        # What was due while it was off is not made up for.
        row.next_at = _next(row.schedule) if row.schedule else None
    row.save()
    return Changed(row, tuple(changes))


def _check_cause(pattern: str, schedule: str, condition: Mapping[str, Any]) -> None:
    if bool(pattern) is bool(schedule):
        raise ValidationFailed("A trigger has a pattern or a schedule.", field="pattern")
    if pattern:
        topics.check_pattern(pattern)
    rules.read(condition)


@command("trigger.remove", scope="agents:write")
def remove(*, principal: Principal, trigger: UUID | str) -> Changed:
    """
    Take a trigger away; its runs stay.

    :raises NotFound: if it is not there for the principal
    :raises PermissionDenied: as :func:`create`
    """
    row = reading.find(principal, trigger)
    _check_reach(principal, row.agent, is_of_one=row.session_id is not None)
    kept = Changed(row)
    Trigger.objects.filter(pk=row.pk).delete()
    return kept


def _check_reach(principal: Principal, agent: Agent, *, is_of_one: bool) -> None:
    if is_of_one or principal.teams is None or agent.team_id in principal.teams:
        return
    raise PermissionDenied("In every session only agents of your own team are woken.")


def wake(
    *, trigger_id: UUID, session_id: UUID | str, topic: str, data: str, cause: str
) -> Run | None:
    """
    Let a trigger's agent answer a record in a running session; None if it rests.

    It rests for its cooldown, while its last run there is open, and while its team has begun as
    many runs today as it may. ``cause`` names the record: in however many processes it is seen, it
    wakes the agent once.
    """
    try:
        return _wake(trigger_id, session_id, topic=topic, data=data, cause=cause)
    except QuotaExceeded as error:
        logger.info("A trigger rests: %s", error.message, extra={"action": "trigger_rests"})
        return None


def _wake(
    trigger_id: UUID, session_id: UUID | str, *, topic: str, data: str, cause: str
) -> Run | None:
    with database.atomic():
        session = Session.objects.open().select_for_update(of=("self",), no_key=True)
        row = session.filter(pk=session_id, state=State.RUNNING.value).first()
        trigger = Trigger.objects.select_related("agent").filter(pk=trigger_id, is_active=True)
        found = trigger.first()
        if row is None or found is None or not found.agent.is_active or _rests(found, row, cause):
            return None
        return _begin(found, row, topic=topic, data=data, cause=cause)


def fire_due() -> int:
    """Let the agents of all schedules that are due begin, each once; how many triggers were due."""
    fired = 0
    while _fire_one():
        fired += 1
    return fired


def _fire_one() -> bool:
    now = timezone.now()
    if not _first_due(now=now):
        return False
    with database.atomic():
        rows = _due().select_for_update(
            of=("self",), no_key=True, skip_locked=connection.vendor == "postgresql"
        )
        trigger = rows.order_by("next_at", "pk").first()
        if trigger is None:
            return False
        at, trigger.next_at, trigger.last_at = trigger.next_at, _next(trigger.schedule), now
        trigger.save(update_fields=["next_at", "last_at"])
    for session_id in reading.woken(trigger).values_list("pk", flat=True):
        said = {"at": at.isoformat() if at else "", "schedule": trigger.schedule}
        wake(
            trigger_id=trigger.pk,
            session_id=session_id,
            topic="schedule",
            data=str(said["at"]),
            cause=f"schedule:{said['at']}",
        )
    return True


def _due() -> QuerySet[Trigger]:
    return Trigger.objects.filter(is_active=True, next_at__lte=timezone.now())


# Asked each second, and mostly there is none.
@Prepared
def _first_due(now: datetime) -> QuerySet[Trigger, Any]:
    return Trigger.objects.filter(is_active=True, next_at__lte=now).values_list("pk")[:1]


def _next(schedule: str) -> Any:
    found = cron.read(schedule).next_after(timezone.now())
    if found is None:
        raise ValidationFailed("That day never comes.", field="schedule")
    return found


def _rests(trigger: Trigger, session: Session, cause: str) -> bool:
    since = timezone.now() - timedelta(seconds=trigger.cooldown_seconds)
    mine = Run.objects.filter(trigger=trigger, session=session)
    is_recent = Q(created_at__gt=since) | Q(parameters__cause=cause)
    return mine.open().exists() or mine.filter(is_recent).exists()


def _begin(trigger: Trigger, session: Session, *, topic: str, data: str, cause: str) -> Run:
    actor = principals.system(f"trigger:{trigger.pk}").via("job")
    message = messages.append(
        session,
        role=Role.USER,
        content=rules.prompt(trigger.prompt, topic=topic, data=data),
        author=actor.actor,
        agent=trigger.agent.slug,
        metadata={"trigger": str(trigger.pk), "cause": cause},
    )
    Trigger.objects.filter(pk=trigger.pk).update(last_at=timezone.now())
    return runs.admit(
        session,
        agent=trigger.agent,
        principal=actor,
        message=message,
        trigger=trigger,
        parameters={"cause": cause},
    )
