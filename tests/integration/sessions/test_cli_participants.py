"""`aegis component detach|restart`, here and at another server."""

import pytest

from components.core.programs import Draft
from components.models import Component, Launch
from components.services import programs
from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.services import lifecycle
from streaming.models import AuditEntry
from tests import factories
from tests.factories import OPERATOR

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]
SCOPES = ("sessions:control", "sessions:read", "components:read")


@pytest.fixture
def session():
    programs.define(principal=OPERATOR, draft=Draft(name="feed", argv=("feed",)))
    expected = [Expected(name="prices"), Expected(name="quotes", program="feed")]
    made = factories.session(key="k", expected=expected)
    lifecycle.start(principal=OPERATOR, session=made)
    return made


def far_or_here(request: pytest.FixtureRequest, where: str):
    run = request.getfixturevalue(where)
    return run if where == "aegis" else lambda *words: run(*words, scopes=SCOPES)


@pytest.mark.parametrize("where", ["aegis", "far"])
def test_a_component_is_detached(session, request, where: str):
    run = far_or_here(request, where)
    part = factories.readied(session, "prices")

    planned = run("component", "detach", "k", "prices", "--dry-run", "--json").document
    waits = factories.states(session)
    released = run("component", "detach", "k", "prices", "--yes")
    gone = run("component", "detach", "k", "prices", "--yes", "--json").document
    missing = run("component", "detach", "k", "prices", "--yes", "--json")

    assert (planned["meta"], planned["data"]["is_forgotten"]) == ({"dry_run": True}, False)
    assert waits["prices"] == "ready"
    assert (released.code, released.out) == (0, "prices  released\n")
    assert (gone["data"]["id"], gone["data"]["is_forgotten"]) == (str(part.pk), True)
    assert (missing.code, missing.document["error"]["code"]) == (3, "COMPONENT_NOT_FOUND")
    assert factories.states(session) == {"quotes": "pending"}
    entries = AuditEntry.objects.filter(command="component.detach").order_by("pk")
    assert [one.outcome for one in entries] == ["ok", "ok", "refused"]


@pytest.mark.parametrize("where", ["aegis", "far"])
def test_nobody_is_detached_unasked(session, request, where: str):
    told = far_or_here(request, where)("component", "detach", "k", "prices")

    assert (told.code, told.out) == (2, "")
    assert Component.objects.filter(name="prices").exists()


@pytest.mark.parametrize("where", ["aegis", "far"])
def test_a_component_begins_anew(session, request, where: str):
    run = far_or_here(request, where)
    before = Launch.objects.get().activation

    told = run("component", "restart", "k", "quotes")
    shown = run("component", "restart", "k", "quotes", "--json").document["data"]
    refused = run("component", "restart", "k", "prices", "--json")
    lifecycle.stop(principal=OPERATOR, session=session)
    stopped = run("component", "restart", "k", "quotes")

    assert (told.code, told.out) == (0, "quotes  feed begins anew\n")
    assert (shown["program"], shown["launch"]["state"]) == ("feed", "waiting")
    assert Launch.objects.get().activation == before + 2
    assert (refused.code, refused.document["error"]["code"]) == (5, "PROGRAM_MISSING")
    assert (stopped.code, stopped.err.split()[1]) == (5, "INVALID_STATE:")


def test_a_session_that_is_over_keeps_its_components(anywhere):
    factories.session_in(State.ENDED, key="k", expected=[Expected(name="prices")])

    told = anywhere("component", "detach", "k", "prices", "--yes")

    assert (told.code, told.err.splitlines()[0]) == (
        5,
        "error: INVALID_STATE: Cannot detach while ended.",
    )
