"""Tools of components: asked for by workers, sent by whoever holds the socket, answered once."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from aegis_project import database
from components.core.messages import Result
from components.models import ToolUse
from streaming import hints

FORGOTTEN_AFTER = timedelta(days=1)


def ask(
    *, component_id: UUID, tool: str, arguments: Mapping[str, Any], effect_key: str, seconds: float
) -> ToolUse:
    """
    Write down that a component is to use one of its tools within so many seconds.

    What it answered before under the same effect key stands; what was not sent yet is not sent.
    """
    now = timezone.now()
    with database.atomic():
        earlier = ToolUse.objects.filter(component_id=component_id, effect_key=effect_key)
        earlier.filter(sent_at=None).delete()
        done = earlier.filter(answered_at__isnull=False, error__isnull=True).first()
        if done is not None:
            return done
        ToolUse.objects.filter(
            component_id=component_id, created_at__lt=now - FORGOTTEN_AFTER
        ).delete()
        made = ToolUse.objects.create(
            component_id=component_id,
            tool=tool,
            arguments=dict(arguments),
            effect_key=effect_key,
            deadline_at=now + timedelta(seconds=seconds),
        )
        hints.send(hints.Hint("tool", str(made.pk)))
    return made


def take(*, component_ids: Collection[str]) -> list[ToolUse]:
    """
    What these components, whose sockets are held here, are to be sent now.

    Each is given out once, to one process; what is too late is not.
    """
    if not component_ids:
        return []
    with database.atomic():
        now = timezone.now()
        rows = ToolUse.objects.filter(
            component__in=list(component_ids),
            sent_at=None,
            answered_at=None,
            deadline_at__gt=now,
        )
        can_skip = connection.features.has_select_for_update_skip_locked
        mine = list(rows.order_by("created_at", "pk").select_for_update(skip_locked=can_skip))
        for one in mine:
            one.sent_at = now
        ToolUse.objects.bulk_update(mine, ["sent_at"])
        return mine


def is_asked() -> bool:
    """Whether anything waits to be sent by anybody."""
    now = timezone.now()
    return ToolUse.objects.filter(sent_at=None, answered_at=None, deadline_at__gt=now).exists()


def answer(*, result: Result, component_id: str) -> bool:
    """Write what came of a use; False where nothing was asked, or it was answered before."""
    try:
        pk = UUID(result.id)
    except ValueError:
        return False
    with database.atomic():
        asked = ToolUse.objects.filter(pk=pk, component=UUID(component_id), answered_at=None)
        error = None if result.error is None else dict(result.error)
        is_new = asked.update(answered_at=timezone.now(), result=result.value, error=error)
        if is_new:
            hints.send(hints.Hint("tool", result.id))
    return bool(is_new)


def withdraw(use_id: UUID) -> bool:
    """Take back what was not sent yet; False if the component may have got it."""
    with database.atomic():
        return bool(ToolUse.objects.filter(pk=use_id, sent_at=None).delete()[0])
