from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from components.models import Credential
from components.services.registry import Expected
from sessions.core.lifecycle import State
from sessions.models import Session
from sessions.services import lifecycle
from streaming import hints
from streaming.models import AuditEntry
from tests import factories, threads
from tests.calling import Caller, code

SESSIONS = "/api/v1/sessions"
BODIES = {"fail": {"error": {"message": "broken"}}}


def until_starting(session: Session) -> None:
    """Return once a start of the session waits for components."""
    mine = Session.objects.starting().filter(pk=session.pk)
    assert hints.wait_until(mine.exists, timeout_seconds=20)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [
        ("start", State.CREATED, "running"),
        ("start", State.FAILED, "running"),
        ("resume", State.STOPPED, "running"),
        ("activate", State.PAUSED, "running"),
        ("pause", State.RUNNING, "paused"),
        ("suspend", State.RUNNING, "paused"),
        ("suspend", State.STOPPED, "stopped"),
        ("suspend", State.FAILED, "failed"),
        ("stop", State.PAUSED, "stopped"),
        ("complete", State.CREATED, "completed"),
        ("fail", State.RUNNING, "failed"),
        ("end", State.FAILED, "ended"),
        ("start", State.RUNNING, "running"),
        ("end", State.ENDED, "ended"),
    ],
)
def test_a_verb_moves_the_session(program: Caller, verb: str, before: State, after: str):
    made = factories.session_in(before)

    answer = program.post(f"{SESSIONS}/{made.pk}/{verb}", BODIES.get(verb))

    said = answer.json()
    assert answer.status_code == 200
    assert (said["previous_state"], said["state"]) == (before.value, after)
    assert answer.headers["ETag"] == f'"{said["version"]}"'


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verb", "state"),
    [("pause", State.CREATED), ("start", State.ENDED), ("complete", State.FAILED)],
)
def test_a_verb_that_is_not_legal_says_what_is(program: Caller, verb: str, state: State):
    made = factories.session_in(state)

    answer = program.post(f"{SESSIONS}/{made.pk}/{verb}", BODIES.get(verb))

    assert code(answer) == (400, "INVALID_STATE")
    assert answer.json()["error"]["details"] == {
        "from": state.value,
        "command": verb,
        "allowed": made.legal(),
    }


@pytest.mark.django_db
def test_what_is_said_with_a_verb_is_kept(program: Caller):
    first, second = factories.session(key="a"), factories.session(key="b")
    error = {"code": "FEED_LIES", "message": "wrong", "details": {"type": "x", "actor": 1}}

    program.post(f"{SESSIONS}/a/complete", {"result": [1, None], "reason": "done"})
    program.post(f"{SESSIONS}/b/fail", {"error": error, "reason": "seen"})

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.result, first.reason) == ([1, None], "done")
    assert (second.error, second.reason) == (error, "seen")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("fail", {}),
        ("fail", {"error": "broken"}),
        ("fail", {"error": {"message": "x", "code": "lower"}}),
        ("fail", {"error": {"message": "x", "colour": 1}}),
        ("fail", {"error": {"message": "x", "details": {"y": -1e300}}}),
        ("complete", {"result": [1e300]}),
        ("end", {"reason": 1}),
        ("end", {"reason": "x" * 501}),
        ("start", {"wait": 1}),
        ("start?wait=-1", None),
        ("start?wait=61", None),
        ("start?wait=nan", None),
        ("attach", {}),
        ("attach", {"components": []}),
        ("attach", {"components": [1]}),
        ("tokens", {"lifetime_seconds": 0}),
        ("tokens", {"patterns": ["**.a"]}),
    ],
)
def test_a_body_that_cannot_be_is_refused(program: Caller, verb: str, body: Any):
    factories.session(key="k")

    assert program.post(f"{SESSIONS}/k/{verb}", body).status_code == 400
    assert Session.objects.get().state == "created"


# Starting with components


@pytest.mark.django_db
def test_a_start_that_waits_is_accepted(program: Caller):
    factories.session(key="k", expected=[Expected(name="feed")])

    answer = program.post(f"{SESSIONS}/k/start")

    said = answer.json()
    assert answer.status_code == 202
    assert (said["state"], said["conditions"]) == ("created", ["starting"])
    assert said["start_deadline_at"] > said["start_requested_at"]


@pytest.mark.django_db
def test_a_wait_that_is_too_short_is_accepted_too(program: Caller):
    factories.session(key="k", expected=[Expected(name="feed")])

    assert program.post(f"{SESSIONS}/k/start?wait=0.01").status_code == 202


@pytest.mark.django_db(transaction=True)
def test_a_start_within_the_wait_runs(program: Caller):
    made = factories.session(expected=[Expected(name="feed")])

    with threads.beside(partial(program.post, f"{SESSIONS}/{made.pk}/start?wait=30")) as answer:
        until_starting(made)
        factories.readied(made, "feed")
        found = answer()

    assert (found.status_code, found.json()["state"]) == (200, "running")


@pytest.mark.django_db(transaction=True)
def test_activating_is_answered_when_the_session_runs(program: Caller):
    made = factories.session(expected=[Expected(name="feed")])

    with threads.beside(partial(program.post, f"{SESSIONS}/{made.pk}/activate")) as answer:
        until_starting(made)
        factories.readied(made, "feed")
        found = answer()

    assert (found.status_code, found.json()["state"]) == (200, "running")


@pytest.mark.django_db(transaction=True)
def test_a_start_past_its_deadline_is_told_who_is_missing(program: Caller):
    made = factories.session(expected=[Expected(name="feed")])
    lifecycle.start(principal=factories.OPERATOR, session=made)
    Session.objects.update(start_deadline_at=timezone.now() + timedelta(milliseconds=1))

    answer = program.post(f"{SESSIONS}/{made.pk}/start?wait=0.2")

    assert code(answer) == (504, "START_TIMEOUT")
    assert answer.json()["error"]["details"] == {"missing": ["feed"]}


@pytest.mark.django_db(transaction=True)
def test_a_start_that_is_withdrawn_is_refused(program: Caller):
    made = factories.session(expected=[Expected(name="feed")])

    with threads.beside(partial(program.post, f"{SESSIONS}/{made.pk}/start?wait=30")) as answer:
        until_starting(made)
        lifecycle.stop(principal=factories.OPERATOR, session=made)
        found = answer()

    assert code(found) == (400, "INVALID_STATE")


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(300)
def test_of_a_hundred_starts_at_once_one_wins(program: Caller):
    made = factories.session()
    callers = [Caller(program.headers["Authorization"].removeprefix("Bearer ")) for _ in range(100)]

    answers = threads.together(
        [partial(one.post, f"{SESSIONS}/{made.pk}/start") for one in callers]
    )

    made.refresh_from_db()
    before = [answer.json()["previous_state"] for answer in answers]
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(before) == ["created"] + ["running"] * 99
    assert (made.state, made.activation) == ("running", 1)


# Attaching and tokens


@pytest.mark.django_db
def test_attaching_gives_a_token(program: Caller):
    factories.session(key="k")

    answer = program.post(f"{SESSIONS}/k/attach", {"components": ["feed", {"name": "sink"}]})

    said = answer.json()
    assert (answer.status_code, said["component_count"]) == (200, 2)
    assert said["session_token"].startswith("aeg_")


@pytest.mark.django_db
def test_attaching_to_a_running_session_is_refused(program: Caller):
    made = factories.session_in(State.RUNNING)

    answer = program.post(f"{SESSIONS}/{made.pk}/attach", {"components": ["late"]})

    assert code(answer) == (400, "INVALID_STATE")


@pytest.mark.django_db
def test_a_token_can_be_for_one_component_some_topics_and_some_time(program: Caller):
    made = factories.session(expected=[Expected(name="feed")])
    order = {"component": "feed", "patterns": ["klines.**"], "lifetime_seconds": 60}

    answer = program.post(f"{SESSIONS}/{made.pk}/tokens", order)

    kept = Credential.objects.get(session=made)
    said = answer.json()
    assert answer.status_code == 201
    assert said["credential"]["id"] == str(kept.pk)
    assert kept.component is not None
    assert (kept.component.name, kept.patterns) == ("feed", ["klines.**"])
    assert kept.expires_at is not None
    assert timezone.now() < kept.expires_at <= timezone.now() + timedelta(seconds=60)
    assert said["session_token"].split("_")[1] == kept.prefix


@pytest.mark.django_db
def test_a_closed_session_gives_no_tokens(program: Caller):
    made = factories.session_in(State.ENDED)

    assert code(program.post(f"{SESSIONS}/{made.pk}/tokens")) == (400, "INVALID_STATE")


# The audit


@pytest.mark.django_db
def test_what_came_over_http_is_in_the_audit(program: Caller):
    made = factories.session(key="k")
    program.post(f"{SESSIONS}/k/start", x_request_id="first")
    program.post(f"{SESSIONS}/k/attach", {"components": ["a"]}, x_request_id="second")

    found = AuditEntry.objects.filter(request_id__in=["first", "second"]).order_by("pk")
    assert [
        (one.command, one.outcome, one.code, one.transport, one.actor, one.target) for one in found
    ] == [
        ("session.start", "ok", "", "rest", "credential:default", "k"),
        ("session.attach", "refused", "INVALID_STATE", "rest", "credential:default", "k"),
    ]
    assert found[0].session_id == made.pk
