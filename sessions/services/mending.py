"""Leaving alone what a check finds, and mending it where that cannot do harm."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from aegis_project import health
from aegis_project.health import Finding, State
from aegis_project.kit.errors import NotFound
from aegis_project.kit.principal import Principal
from components.core.scopes import INSTANCE
from sessions.core import snoozes
from sessions.models import Snooze
from streaming.services.commands import Trace, command

BY_HAND = frozenset({"migrations"})


@dataclass(frozen=True, slots=True)
class Done:
    """What was done about what a check finds."""

    item: str
    detail: dict[str, Any]

    def audit(self) -> Trace:
        return Trace(session_id=None, target=self.item, detail=self.detail)


@command("health.snooze", scope=INSTANCE)
def snooze(*, principal: Principal, item: str, state: str, reason: str, until: datetime) -> Done:
    """
    Leave what a check finds alone until a moment; if it gets worse or better it is told again.

    :raises PermissionDenied: without the right, which nobody can be given
    :raises NotFound: if it does not find this
    :raises ValidationFailed: without a reason, and for more than 90 days
    """
    said = snoozes.check(reason=reason, until=until, now=timezone.now())
    _found(item, state)
    values = {"reason": said, "author": principal.actor, "until": until}
    Snooze.objects.update_or_create(item=item, state=state, defaults=values)
    return Done(item, {"state": state, "reason": said, "until": until.isoformat()})


@command("health.wake", scope=INSTANCE)
def wake(*, principal: Principal, item: str, state: str) -> Done:
    """
    Tell again what was left alone.

    :raises PermissionDenied: without the right, which nobody can be given
    :raises NotFound: if nobody left it alone
    """
    if not Snooze.objects.lasting().filter(item=item, state=state).delete()[0]:
        raise NotFound("Nobody left this alone.")
    return Done(item, {"state": state})


@command("installation.mend", scope=INSTANCE)
def mend(*, principal: Principal, item: str, state: str) -> Done:
    """
    Mend what a check finds; nothing is lost by it.

    :raises PermissionDenied: without the right, which nobody can be given
    :raises NotFound: if it does not find this any more, or a button cannot mend it
    """
    if item not in offered(_found(item, state)):
        raise NotFound("This is not mended by a button.")
    return Done(item, {"done": health.FIXES[item]()})


def offered(found: Collection[Finding]) -> list[str]:
    """
    The checks among these that a button mends.

    Migrations are for the command line: a page that runs one would wait for itself.
    """
    return [name for name in health.fixable(found) if name not in BY_HAND]


def _found(item: str, state: str) -> list[Finding]:
    if item not in health.CHECKS or state == State.OK:
        raise NotFound("There is no such finding.")
    found = [one for one in health.examine([item]) if one.state == state]
    if not found:
        raise NotFound("It is otherwise by now: look at it again.")
    return found
