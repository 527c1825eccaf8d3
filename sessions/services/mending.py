"""Leaving alone what a check finds, and mending it where that cannot do harm."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from aegis_project import health
from aegis_project.health import State
from aegis_project.kit.errors import NotFound
from aegis_project.kit.principal import Principal
from components.core.scopes import INSTANCE
from sessions.core import snoozes
from sessions.models import Snooze
from sessions.selectors import purging as selecting
from sessions.services import purging
from streaming.services.commands import Trace, command

PRIVATE = 0o600


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
    _require(item, state)
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


@dataclass(frozen=True, slots=True)
class Mend:
    """What a button says, and what it does, which says what came of it."""

    title: str
    do: Callable[[Principal], dict[str, Any]]


@command("health.mend", scope=INSTANCE)
def mend(*, principal: Principal, item: str, state: str) -> Done:
    """
    Mend what a check finds.

    :raises PermissionDenied: without the right, which nobody can be given
    :raises NotFound: if it does not find this any more, or a button cannot mend it
    """
    found = MENDS.get((item, state))
    if found is None:
        raise NotFound("This is not mended by a button.")
    _require(item, state)
    return Done(item, {"state": state, **found.do(principal)})


def _require(item: str, state: str) -> None:
    if item not in health.CHECKS or state == State.OK:
        raise NotFound("There is no such finding.")
    if not any(one.state == state for one in health.examine([item])):
        raise NotFound("It is otherwise by now: look at it again.")


def _make_private(_principal: Principal) -> dict[str, Any]:
    (settings.ENVIRONMENT.home / "secret_key").chmod(PRIVATE)
    return {"mode": f"{PRIVATE:o}"}


def _let_go(principal: Principal) -> dict[str, Any]:
    gone = {
        wish.what.value: len(purging.purge(principal=principal, wish=wish, is_dry=False))
        for wish in selecting.by_settings()
    }
    return {"sessions": gone}


MENDS: Mapping[tuple[str, str], Mend] = {
    ("home", State.ERROR): Mend("Make the key private", _make_private),
    ("retention", State.WARNING): Mend("Remove it now", _let_go),
}
"""What a button mends, by check and state: nothing that the settings do not ask for already."""
