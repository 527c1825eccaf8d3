from typing import Any

import pytest

from aegis_project.kit.principal import Principal
from components.core import events as component_events
from components.core.launching import Exit
from components.core.programs import Draft
from components.models import Component
from components.services import (
    credentials,
    launches,
    liveness,
    processes,
    programs,
    standing,
)
from components.services.registry import Expected
from sessions.core import events as session_events
from sessions.models import Session
from sessions.services import checkpoints, creation, forks, lifecycle, participants, recovery
from sessions.services.forks import Wish
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db


def lead_a_full_life(principal: Principal) -> Session:
    """Do with one session everything that a ledger has a word for."""
    draft = Draft(name="feed", argv=("feed",))
    programs.define(principal=principal, draft=draft)
    session = factories.session(expected=[Expected(name="feed", program="feed")])
    creation.update(principal=principal, session=session, changes={"name": "Full"})
    come_and_go(principal, session)
    issued = creation.issue_token(principal=principal, session=session)
    credentials.revoke(principal=principal, credential=issued.credential.pk)
    lifecycle.start(principal=principal, session=session)
    lifecycle.stop(principal=principal, session=session)
    lifecycle.start(principal=principal, session=session)
    feed = factories.readied(session, "feed")
    lifecycle.settle(session_id=session.pk)
    own: dict[str, Any] = {"component_id": str(feed.pk), "fence": feed.fence}
    standing.note_late(**own, is_late=True)
    standing.report(**own, fault=factories.fault("SLOW", "Behind.", temporary=True))
    launch(session)
    participants.restart(principal=principal, session=session, component="feed")
    lifecycle.pause(principal=principal, session=session)
    standing.lose(**own, reason="silent")
    liveness.fail_overdue(grace_seconds=-1)
    lifecycle.fail(principal=principal, session=session, error={"code": "X"})
    look_back(principal, session)
    lifecycle.end(principal=principal, session=session)
    return session


def come_and_go(principal: Principal, session: Session) -> None:
    """Let a component be of the session and no more."""
    more = [Expected(name="guest", required=False)]
    creation.attach(principal=principal, session=session, expected=more)
    participants.detach(principal=principal, session=session, component="guest")


def look_back(principal: Principal, session: Session) -> None:
    """Take a checkpoint, make another session of it, go back to it and let it go."""
    checkpoints.create(principal=principal, session=session, label="before")
    forks.fork(principal=principal, session=session, checkpoint="before", wish=Wish())
    recovery.recover(principal=principal, session=session, checkpoint="before")
    checkpoints.delete(principal=principal, session=session, checkpoint="before")


def launch(session: Session) -> None:
    """Let its one program run and end by a signal, to be started again later."""
    lease = factories.lease()
    launches.take(lease_id=lease.pk, host="here", patience_seconds=1)
    (held,) = launches.held(lease_id=lease.pk)
    processes.begin(held=held)
    processes.run(held=held, pid=1)
    processes.end(held=held, ended=Exit(-9))


def described() -> dict[str, set[str]]:
    """What each description says that the data of its event holds."""
    found = {}
    for event, text in [
        *session_events.DESCRIPTIONS.items(),
        *component_events.DESCRIPTIONS.items(),
    ]:
        names = text.partition(" Data: ")[2].rstrip(".").split(", ")
        found[event.value] = {name.split(" ")[0] for name in names}
    return found


def test_every_event_is_written_and_holds_what_its_description_says():
    session = lead_a_full_life(OPERATOR)

    assert Component.objects.get(session=session).state == "stopped"
    told = [*factories.told(session), *factories.told(Session.objects.get(parent=session))]
    # This life has no clock that could be set; tests/e2e/test_clocks.py has.
    assert {type_ for type_, _ in told} == set(described()) - {"session.repositioned"}
    for type_, data in told:
        assert (type_, set(data)) == (type_, described()[type_])
