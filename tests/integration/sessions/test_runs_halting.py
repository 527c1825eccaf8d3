"""What the lever of a session does to the runs in it."""

import pytest

from sessions.core.lifecycle import State
from sessions.models import Run
from sessions.services import lifecycle, working
from tests import factories
from tests.factories import OPERATOR
from tests.integration.sessions import working_help as help_

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("verb", "states"),
    [
        ("pause", ["working", "queued"]),
        ("stop", ["cancelled", "cancelled"]),
        ("fail", ["failed", "queued"]),
        ("complete", ["cancelled", "cancelled"]),
        ("end", ["cancelled", "cancelled"]),
        ("delete", ["cancelled", "cancelled"]),
    ],
)
def test_lever_does_to_runs_what_the_specification_says(verb, states):
    session = help_.session()
    help_.admitted(session)
    help_.admitted(session)
    help_.claimed()
    arguments = {"error": {"code": "X"}} if verb == "fail" else {}

    getattr(lifecycle, verb)(principal=OPERATOR, session=session, **arguments)

    assert list(Run.objects.order_by("place").values_list("state", flat=True)) == states


def test_what_stayed_in_the_queue_of_a_failed_session_goes_on_with_its_next_start():
    session = help_.session()
    run = help_.admitted(session)
    lifecycle.fail(principal=OPERATOR, session=session, error={"code": "X"})
    assert working.claim(lease_id=factories.lease().pk, limit=1) == []

    lifecycle.start(principal=OPERATOR, session=session)

    assert help_.claimed().run_id == run.pk


def test_run_is_told_to_have_ended_before_its_session():
    session = help_.session()
    help_.admitted(session)

    lifecycle.stop(principal=OPERATOR, session=session)

    told = factories.told(session)[-3:]
    assert [kind for kind, _ in told] == ["run.cancelled", "stream.ended", "session.suspended"]
    assert told[0][1]["reason"] == "session stop"


def test_stop_that_changes_nothing_ends_nothing():
    session = help_.session(State.PAUSED)
    run = help_.admitted(session)

    lifecycle.pause(principal=OPERATOR, session=session)

    assert help_.state(run) == "queued"
