"""What waits for people, watched at the command line."""

import os
import signal
from typing import Any

import orjson
import pytest
from django.db import connection

from sessions.core.lifecycle import State
from sessions.management import approval_watch
from sessions.services import approvals, lifecycle
from tests import asking, factories
from tests.screens import terminal

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


def at_looks(monkeypatch: pytest.MonkeyPatch, name: str, **steps: Any) -> None:
    """Do something just after a look: what it missed has to be told by the next one."""
    look = getattr(approval_watch, name)
    count: list[None] = []

    def looked(*given: Any) -> Any:
        found = look(*given)
        count.append(None)
        steps.get(f"after_{len(count)}", lambda: None)()
        return found

    monkeypatch.setattr(approval_watch, name, looked)


def test_what_waits_and_what_becomes_of_it_is_told_to_the_end(aegis, monkeypatch):
    session = factories.session_in(State.RUNNING, key="desk")
    run = asking.run(session)
    first, rest = asking.approval(run), asking.approval(run)
    short: list[Any] = []

    def decide() -> None:
        approvals.decide(principal=factories.OPERATOR, approval=first, approved=True)
        # Asked for and decided between two looks.
        short.append(asking.approval(run))
        approvals.decide(principal=factories.OPERATOR, approval=short[0], approved=False)

    def end() -> None:
        lifecycle.end(principal=factories.OPERATOR, session=session)

    at_looks(monkeypatch, "_here", after_1=decide, after_3=end)

    told = aegis("approval", "watch", "--session", "desk", "--json")

    lines = [orjson.loads(one) for one in told.out.splitlines()]
    assert [(one["id"], one["state"]) for one in lines] == [
        (str(first.pk), "pending"),
        (str(rest.pk), "pending"),
        (str(first.pk), "approved"),
        (str(short[0].pk), "rejected"),
        (str(rest.pk), "cancelled"),
    ]


def test_what_was_decided_before_is_not_told_and_lines_are_for_people(aegis):
    run = asking.run(factories.session_in(State.RUNNING, key="desk"))
    old, new = asking.approval(run), asking.approval(run)
    approvals.decide(principal=factories.OPERATOR, approval=old, approved=True)
    aegis("approval", "claim", str(new.pk))

    told = aegis("approval", "watch", "--no-follow")

    new.refresh_from_db()
    assert told.out == (f"{new.pk}  desk  orders.place  medium  pending  {new.claimed_by}\n")


def test_a_server_that_was_named_tells_the_same(far, monkeypatch):
    session = factories.session_in(State.RUNNING, key="desk")
    run = asking.run(session)
    first = asking.approval(run)
    short: list[Any] = []

    def decide() -> None:
        approvals.decide(principal=factories.OPERATOR, approval=first, approved=True)
        short.append(asking.approval(run))

    def end() -> None:
        lifecycle.end(principal=factories.OPERATOR, session=session)

    monkeypatch.setattr(approval_watch, "NEWEST", 1)
    monkeypatch.setattr(approval_watch, "LOOK_SECONDS", 0)
    at_looks(monkeypatch, "_there", after_1=decide, after_3=end)

    words = ("approval", "watch", "--session", "desk", "--json")
    told = far(*words, scopes=("sessions:read", "approvals:read"))
    mine = far("approval", "list", "--mine", "--expiring", "60", "-q", scopes=("approvals:read",))

    lines = [orjson.loads(one) for one in told.out.splitlines()]
    assert sorted((one["id"], one["state"]) for one in lines) == sorted(
        [
            (str(first.pk), "pending"),
            (str(first.pk), "approved"),
            (str(short[0].pk), "pending"),
            (str(short[0].pk), "cancelled"),
        ]
    )
    assert (mine.code, mine.out) == (0, "")


def test_who_may_not_read_approvals_watches_none(far, aegis, monkeypatch):
    refused = far("approval", "watch", scopes=("sessions:read",))

    assert refused.code == 4


@pytest.mark.django_db(transaction=True)
def test_a_terminal_shows_the_inbox_until_somebody_leaves(aegis, monkeypatch):
    run = asking.run(factories.session_in(State.RUNNING, key="desk"))
    first, second = asking.approval(run), asking.approval(run)

    def decide() -> None:
        approvals.decide(principal=factories.OPERATOR, approval=first, approved=False, reason="no")

    at_looks(monkeypatch, "_here", after_1=decide)
    with terminal(monkeypatch) as screen:
        screen.wanted = "DECIDED"
        screen.act = lambda: os.kill(os.getpid(), signal.SIGINT)
        told = aegis("approval", "watch")

    connection.close()
    second.refresh_from_db()
    assert (told.code, told.err) == (130, "Stopped looking; what was begun goes on.\n")
    assert second.state == "pending"
    for text in ("2 wait", "1 wait", "rejected", str(second.pk)[:8]):
        assert text in screen.text
