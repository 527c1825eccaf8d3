"""What there is to work on, who works on it, and what was left by whoever is gone."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from aegis_project.prepared import Prepared
from sessions.core.lifecycle import State as SessionState
from sessions.core.runs import OPEN, State
from sessions.core.tool_calls import State as CallState
from sessions.models import Run, Session, ToolCall

# What a sweep looks at; the rest is for the next one.
MOST_LOST = 500
# And what a process takes in one turn, at the most.
MOST_DUE = 64


@dataclass(frozen=True, slots=True)
class Standing:
    """What a worker has to know of a run that it works on."""

    fence: int
    state: str
    is_held: bool
    """Whether its session does not run, so that it stops at the next safe point."""


def due() -> QuerySet[Run]:
    """
    Queued runs that may begin: their session runs, and no earlier one of the agent is open there.

    A run that another began does not wait for those.
    """
    earlier = Run.objects.filter(
        session=OuterRef("session"),
        agent_slug=OuterRef("agent_slug"),
        parent=None,
        state__in=OPEN,
        ended_at=None,
        place__lt=OuterRef("place"),
    )
    running = Session.objects.filter(
        pk=OuterRef("session"), state=SessionState.RUNNING.value, deleted_at=None
    )
    # Not joined: SQLite would begin with the sessions and read all their runs.
    rows = Run.objects.filter(Exists(running), state=State.QUEUED.value)
    return rows.filter(~Exists(earlier) | Q(parent__isnull=False))


def count_due() -> int:
    """How many runs there are to claim, up to some; asked each second and at each hint."""
    return len(_first_due())


_first_due = Prepared(lambda: due().values_list("pk")[:MOST_DUE])


def standings(run_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Where these runs stand now."""
    return {
        pk: Standing(fence, state, session_state != SessionState.RUNNING)
        for pk, fence, state, session_state in _standing(ids=tuple(sorted(run_ids)))
    }


@Prepared
def _standing(ids: tuple[UUID, ...]) -> QuerySet[Run, tuple[UUID, int, str, str]]:
    rows = Run.objects.filter(pk__in=ids)
    return rows.values_list("pk", "fence", "state", "session__state")


def lost(*, now: datetime) -> list[UUID]:
    """Runs whose process is gone while it worked on them, or on a tool call of one that ended."""
    found = {pk for (pk,) in _abandoned(now=now)}
    begun = [pk for (pk,) in _begun()]
    if begun:
        is_gone = Q(lease=None) | Q(lease__expires_at__lt=now)
        found.update(Run.objects.filter(is_gone, pk__in=begun).values_list("pk", flat=True))
    return sorted(found)


@Prepared
def _abandoned(now: datetime) -> QuerySet[Run, tuple[UUID]]:
    is_gone = Q(lease=None) | Q(lease__expires_at__lt=now)
    return Run.objects.filter(is_gone, state=State.WORKING.value).values_list("pk")


@Prepared
def _begun() -> QuerySet[ToolCall, tuple[UUID]]:
    return ToolCall.objects.filter(state=CallState.RUNNING.value).values_list("run")[:MOST_LOST]


def orphans(*, lease_id: UUID, held: Collection[UUID]) -> list[tuple[UUID, int]]:
    """Runs that this process has claimed and does not work on, with their fences."""
    return [(pk, fence) for pk, fence in _claimed(lease_id=lease_id) if pk not in held]


@Prepared
def _claimed(lease_id: UUID) -> QuerySet[Run, tuple[UUID, int]]:
    rows = Run.objects.filter(state=State.WORKING.value, lease=lease_id)
    return rows.values_list("pk", "fence")
