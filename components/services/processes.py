"""The processes of launches: with what one begins, how it ended, what follows."""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from aegis_project import database
from aegis_project.kit import principal as principals
from components import selectors
from components.core import launching
from components.core.events import ComponentEvent
from components.core.launching import Exit, State, Verdict
from components.models import Component, Launch
from components.services import credentials, standing
from components.services.launches import Held

SYSTEM = principals.system("launcher")
FAILED = "LAUNCH_FAILED"


@dataclass(frozen=True, slots=True)
class Order:
    """All that a process is started with; ``token`` is a session token of its component."""

    attempt: int
    argv: tuple[str, ...]
    environment: dict[str, str]
    directory: str
    token: str


def begin(*, held: Held) -> Order | None:
    """
    Say that a process is about to be made, and with what; None when it must not be.

    The number of the attempt is stored first, so that nothing that was ordered before, by whomever,
    begins after it.
    """
    with database.atomic():
        component, launch = _locked(held)
        if launch is None or launch.program is None or not _is_wanted(component, launch):
            return None
        launch.follow("begin")
        _revoke(launch)
        session = component.session
        issued = credentials.session_token(
            principal=SYSTEM,
            session_id=session.pk,
            team_id=session.team_id,
            component=str(component.pk),
        )
        launch.attempt += 1
        launch.served = launch.activation
        launch.token, launch.pid, launch.started_at = issued.credential, None, timezone.now()
        launch.save()
    program = launch.program
    return Order(
        attempt=launch.attempt,
        argv=tuple(program.argv),
        environment=dict(program.environment),
        directory=program.directory,
        token=issued.secret,
    )


def run(*, held: Held, pid: int) -> bool:
    """Say that the process is there; False for a launcher that lost the launch."""
    with database.atomic():
        component, launch = _locked(held)
        if launch is None:
            return False
        is_new = launch.state == State.STARTING
        launch.follow("run")
        launch.pid = pid
        launch.save()
        if is_new:
            name = launch.program.name if launch.program else ""
            _tell(ComponentEvent.LAUNCHED, component, program=name, attempt=launch.attempt)
    return True


def stop(*, held: Held) -> bool:
    """Say that the process was told to end; False for a launcher that lost the launch."""
    with database.atomic():
        _, launch = _locked(held)
        if launch is not None:
            launch.follow("stop")
            launch.save()
    return launch is not None


def end(*, held: Held, ended: Exit) -> bool:
    """
    Say how the process ended, and decide what follows; False for who lost the launch.

    Its token opens nothing any more. A process that nobody wants is not missed; of one whose
    session was started again meanwhile there is another at once; else the program's rules decide:
    again after a pause, done, or the component has failed.
    """
    with database.atomic():
        component, launch = _locked(held)
        if launch is None:
            return False
        _revoke(launch)
        launch.pid, launch.ended_at = None, timezone.now()
        launch.exit_code, launch.error = ended.code, ended.message
        _FOLLOWS[_verdict(component, launch, ended)](component, launch, ended)
        launch.save()
    return True


def rest(*, held: Held) -> bool:
    """Let go of a launch that has no process and that nobody wants; False if it was lost."""
    with database.atomic():
        _, launch = _locked(held)
        if launch is not None:
            launch.follow("end")
            launch.lease, launch.next_at = None, None
            launch.save()
    return launch is not None


def _locked(held: Held) -> tuple[Component, Launch | None]:
    component = Component.objects.locked(held.component_id)
    return component, Launch.objects.locked(held.id, fence=held.fence)


def _is_wanted(component: Component, launch: Launch) -> bool:
    # The session's own row, because the sweep that looks at it comes by once a second only.
    is_wanted = launch.is_wanted and launch.program is not None
    return is_wanted and selectors.is_staffed(component.session)


def _verdict(component: Component, launch: Launch, ended: Exit) -> Verdict | None:
    if not _is_wanted(component, launch):
        return None
    if launch.served != launch.activation:
        launch.restarts, launch.next_at = 0, None
        return Verdict.RETRY
    assert launch.program is not None  # noqa: S101 -- nobody wants what there is no program for
    rules = launch.program.rules
    launch.restarts = launching.in_a_row(ended, rules, restarts=launch.restarts)
    verdict = launching.judge(ended, rules, restarts=launch.restarts)
    if verdict is Verdict.RETRY:
        chance = random.random()  # noqa: S311 -- spreads a crowd, protects nothing
        pause = launching.pause_seconds(rules, restarts=launch.restarts, chance=chance)
        launch.next_at = timezone.now() + timedelta(seconds=pause)
        launch.restarts += 1
    return verdict


def _leave(component: Component, launch: Launch, ended: Exit) -> None:
    launch.follow("end")
    launch.lease, launch.next_at = None, None
    _exited(component, launch, ended, next="none")
    # One that stays registers again when it was let go, and would now be missed.
    standing.finish(component_id=str(component.pk), fence=component.fence)


def _retry(component: Component, launch: Launch, ended: Exit) -> None:
    launch.follow("retry")
    _exited(component, launch, ended, next="restart")


def _finish(component: Component, launch: Launch, ended: Exit) -> None:
    _leave(component, launch, ended)
    launch.is_wanted = False


def _fail(component: Component, launch: Launch, ended: Exit) -> None:
    launch.follow("fail")
    launch.is_wanted, launch.lease = False, None
    launch.error = ended.sentence
    _exited(component, launch, ended, next="failed")
    component.follow("fail")
    component.error = ended.sentence
    component.is_data_connected = component.is_late = False
    component.save()
    _tell(
        ComponentEvent.FAILED,
        component,
        code=FAILED,
        message=f"Its program was given up: {ended.sentence}",
        reason=ended.sentence,
    )


_FOLLOWS = {None: _leave, Verdict.RETRY: _retry, Verdict.END: _finish, Verdict.FAIL: _fail}


def _exited(component: Component, launch: Launch, ended: Exit, **data: Any) -> None:
    said = {"exit_code": ended.code, "reason": ended.sentence, "restarts": launch.restarts}
    _tell(ComponentEvent.EXITED, component, attempt=launch.attempt, **said, **data)


def _tell(event: ComponentEvent, component: Component, **data: Any) -> None:
    standing.tell(event, component, actor=SYSTEM.actor, **data)


def _revoke(launch: Launch) -> None:
    if launch.token_id is not None:
        credentials.revoke(principal=SYSTEM, credential=launch.token_id)
        launch.token = None
