from functools import partial
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from components.services.registry import Expected
from sessions.core.dialects import AGENT_SESSION_VERBS, AGENT_SESSIONS
from sessions.core.errors import BudgetExceeded
from sessions.core.lifecycle import Kind, State
from sessions.models import Session
from sessions.selectors import agents, budgets
from sessions.services import lifecycle, runs
from streaming import hints
from streaming.models import AuditEntry
from tests import factories, threads
from tests.calling import Caller, caller

ADDRESS = "/api/v1/agent-sessions"
SESSION = {"sessionType": "audit", "sessionId": "audit-1"}

pytestmark = [pytest.mark.dialects, pytest.mark.django_db]


def put(program: Caller, session: Session, state: str, **body: Any) -> Any:
    return program.patch(f"{ADDRESS}/{session.pk}", {"state": state, **body})


# States


@pytest.mark.parametrize(
    ("before", "word", "after"),
    [
        (State.CREATED, "running", State.RUNNING),
        (State.CREATED, "completed", State.COMPLETED),
        (State.CREATED, "failed", State.FAILED),
        (State.RUNNING, "paused", State.PAUSED),
        (State.RUNNING, "Completed", State.COMPLETED),
        (State.RUNNING, "FAILED", State.FAILED),
        (State.PAUSED, "running", State.RUNNING),
        (State.PAUSED, "failed", State.FAILED),
        (State.STOPPED, "running", State.RUNNING),
        (State.STOPPED, "completed", State.COMPLETED),
        (State.FAILED, "running", State.RUNNING),
    ],
)
def test_a_word_moves_the_session(program: Caller, before: State, word: str, after: State):
    made = factories.session_in(before)

    answer = put(program, made, word)

    said = answer.json()
    made.refresh_from_db()
    assert (answer.status_code, said["state"]) == (200, word.lower())
    assert (said["aegisState"], made.state) == (after.value, after.value)


def test_what_is_legal_is_what_is_legal_everywhere_and_reads_back_as_it_was_written(
    program: Caller,
):
    found, wanted = {}, {}
    for state in State:
        for word in dict.fromkeys(AGENT_SESSIONS.values()):
            made = factories.session_in(state)
            is_legal = AGENT_SESSION_VERBS.get(word) in made.legal()
            is_shown = AGENT_SESSIONS[state] == word
            status = put(program, made, word).status_code
            read = program.get(f"{ADDRESS}/{made.pk}").json()["state"]
            found[state, word] = (status, read)
            shown = word if is_legal else AGENT_SESSIONS[state]
            wanted[state, word] = (200 if is_legal or is_shown else 400, shown)

    assert found == wanted


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (State.CREATED, "init"),
        (State.RUNNING, "running"),
        (State.PAUSED, "paused"),
        (State.STOPPED, "paused"),
        (State.FAILED, "failed"),
        (State.COMPLETED, "completed"),
        (State.ENDED, "completed"),
    ],
)
def test_the_word_that_a_session_shows_changes_nothing(program: Caller, state: State, word: str):
    made = factories.session_in(state)
    told = factories.events(made)

    answer = put(program, made, word)

    made.refresh_from_db()
    assert (answer.status_code, answer.json()["state"]) == (200, word)
    assert (made.state, factories.events(made)) == (state.value, told)
    assert AuditEntry.objects.filter(session_id=made.pk).latest("pk").outcome == "ok"


@pytest.mark.parametrize(
    ("state", "word", "here", "allowed"),
    [
        (State.CREATED, "paused", "init", ["failed", "completed", "running"]),
        (State.RUNNING, "init", "running", ["completed", "failed", "paused", "running"]),
        (State.FAILED, "completed", "failed", ["failed", "running"]),
        (State.COMPLETED, "running", "completed", ["completed"]),
        (State.ENDED, "failed", "completed", []),
    ],
)
def test_a_word_that_is_not_legal_says_which_are(
    program: Caller, state: State, word: str, here: str, allowed: list[str]
):
    made = factories.session_in(state)

    answer = put(program, made, word)

    said = answer.json()
    said["details"]["allowed"].sort()
    details = {"from": here, "command": word, "allowed": sorted(allowed)}
    assert answer.status_code == 400
    assert said == {"error": f"Cannot go from {here} to {word}", "details": details}


@pytest.mark.django_db(transaction=True)
def test_running_is_answered_when_the_required_are_ready(program: Caller):
    made = factories.session(expected=[Expected(name="feed")])

    with threads.beside(partial(put, program, made, "running")) as answer:
        mine = Session.objects.starting().filter(pk=made.pk)
        assert hints.wait_until(mine.exists, timeout_seconds=20)
        factories.readied(made, "feed")
        found = answer()

    assert (found.status_code, found.json()["state"]) == (200, "running")


@pytest.mark.django_db(transaction=True)
def test_a_start_that_waits_in_vain_says_for_whom(program: Caller, settings: Any):
    short = {"start_seconds": 0.1}
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=short)
    made = factories.session(expected=[Expected(name="feed")])

    answer = put(program, made, "running")

    said = answer.json()
    assert (answer.status_code, said["error"]) == (504, "Not ready in time: feed.")
    assert said["details"] == {"code": "START_TIMEOUT", "missing": ["feed"]}


def test_a_change_that_cannot_be_is_an_invalid_request(program: Caller):
    made = factories.session_in(State.RUNNING)

    answer = put(program, made, "running", result={})

    (issue,) = answer.json()["details"]
    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid request")
    assert issue == {
        "code": "VALIDATION_ERROR",
        "path": ["result"],
        "message": "result goes with the state completed.",
    }


def test_a_number_that_no_database_keeps_is_refused(program: Caller):
    made = factories.session_in(State.RUNNING)

    answers = [
        put(program, made, "completed", result={"n": 1e300}),
        program.post(ADDRESS, {**SESSION, "context": {"state": {"n": 1e300}}}),
    ]

    paths = [answer.json()["details"][0]["path"] for answer in answers]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert paths == [["result"], ["context"]]


def test_the_error_of_another_interface_is_its_message(program: Caller):
    made = factories.session_in(State.RUNNING)
    lifecycle.fail(
        principal=factories.OPERATOR, session=made, error={"code": "FEED_LIES", "message": "No."}
    )

    assert program.get(f"{ADDRESS}/{made.pk}").json()["error"] == "No."


# Making


def test_a_session_made_here_is_one_as_everywhere(program: Caller):
    context = {"agents": ["A", "B"], "additionalSettings": {"maxSteps": 10, "duration": "1h"}}

    said = program.post(ADDRESS, {**SESSION, "context": context}).json()

    made = Session.objects.get(pk=said["id"])
    assert (made.key, made.kind, made.mode, made.environment) == (
        "audit-1",
        "audit",
        "realtime",
        "development",
    )
    assert made.context == context
    assert made.config == {"limits": {"max_steps": 10, "max_seconds": 3600}}
    assert made.component_count == 0
    assert factories.events(made) == ["session.created"]


def test_steps_bound_what_agents_do_in_the_session(program: Caller):
    context = {"additionalSettings": {"maxSteps": 0}}
    said = program.post(ADDRESS, {**SESSION, "context": context}).json()
    program.patch(f"{ADDRESS}/audit-1", {"state": "running"})

    run = runs.request(
        principal=factories.OPERATOR,
        session=said["id"],
        agent=agents.find(factories.OPERATOR, "assistant"),
    )

    with pytest.raises(BudgetExceeded):
        budgets.check(run)


@pytest.mark.parametrize("name", ["policy", "dataSource"])
@pytest.mark.parametrize("value", ["../x.json", "https://u:p@example.com", "a\u0007b", ""])
def test_what_is_no_name_of_something_is_refused(program: Caller, name: str, value: str):
    answer = program.post(ADDRESS, {**SESSION, "context": {name: value}})

    (issue,) = answer.json()["details"]
    assert (answer.status_code, issue["path"]) == (400, ["context", name])
    assert not Session.objects.exists()


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_a_body_is_json_whatever_its_type_says(program: Caller, kind: str):
    answer = program.post(ADDRESS, SESSION, content_type=kind)

    assert answer.status_code == 201


def test_a_body_that_is_no_json_is_an_invalid_request(program: Caller):
    answer = program.post(ADDRESS, b"{")

    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid request")


def test_a_page_from_elsewhere_makes_nothing(program: Caller):
    answer = program.post(ADDRESS, SESSION, origin="http://evil.example")

    assert (answer.status_code, Session.objects.count()) == (403, 0)
    assert answer.json()["details"] == {"code": "PERMISSION_DENIED"}


def test_the_same_key_makes_one_session(program: Caller):
    first, second = (program.post(ADDRESS, SESSION, idempotency_key="k") for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert Session.objects.count() == 1


# Reading


def test_kinds_without_a_word_read_custom(program: Caller):
    for kind in (Kind.STREAM, Kind.CHAT, Kind.CUSTOM):
        factories.session(key=f"a-{kind.value}", kind=kind)

    found = program.get(f"{ADDRESS}?sessionType=custom").json()["sessions"]
    counted = program.get(f"{ADDRESS}/stats").json()

    shown = [(one["sessionId"], one["sessionType"], one.get("aegisKind")) for one in found]
    assert shown == [
        ("a-custom", "custom", None),
        ("a-chat", "custom", "chat"),
        ("a-stream", "custom", "stream"),
    ]
    assert counted == {"total": 3, "byType": {"custom": 3}, "byState": {"init": 3}}


def test_a_filter_takes_all_that_reads_as_its_word(program: Caller):
    for state in State:
        factories.session_in(state, key=f"is-{state.value}")

    def named(word: str) -> list[str]:
        rows = program.get(f"{ADDRESS}?state={word}").json()["sessions"]
        return [one["sessionId"] for one in rows]

    assert named("paused") == ["is-stopped", "is-paused"]
    assert named("completed") == ["is-ended", "is-completed"]


@pytest.mark.parametrize(
    "query", ["state=ended", "state=", "sessionType=chat", "limit=0", "cursor=x", "colour=red"]
)
def test_a_filter_that_there_is_not_is_refused(program: Caller, query: str):
    answer = program.get(f"{ADDRESS}?{query}")

    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid request")


def test_pages_hold_every_session_once(program: Caller):
    for number in range(5):
        factories.session(key=f"s{number}")

    names, cursor = [], ""
    while True:
        page = program.get(f"{ADDRESS}?limit=2&cursor={cursor}").json()
        names.append([one["sessionId"] for one in page["sessions"]])
        assert page["count"] == 5
        if "next" not in page:
            break
        cursor = page["next"]

    assert names == [["s4", "s3"], ["s2", "s1"], ["s0"]]


def test_a_list_costs_the_same_however_long(program: Caller, django_assert_max_num_queries: Any):
    for number in range(20):
        factories.session(key=f"s{number}")

    with django_assert_max_num_queries(8):
        assert program.get(ADDRESS).json()["count"] == 20


@pytest.mark.parametrize("slash", ["", "/"])
def test_addresses_answer_with_and_without_a_slash(program: Caller, slash: str):
    factories.session(key="k")

    answers = [program.get(f"{ADDRESS}{part}{slash}") for part in ("", "/stats", "/k")]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


def test_a_deleted_session_is_ended_and_hidden(program: Caller):
    made = factories.session_in(State.RUNNING)

    answers = [program.delete(f"{ADDRESS}/{made.pk}") for _ in range(2)]

    made.refresh_from_db()
    assert [answer.status_code for answer in answers] == [204, 404]
    assert (made.state, made.reason, made.deleted_at is None) == ("ended", "deleted", False)


# Who may


def test_nobody_is_told_to_say_who_they_are():
    answer = Caller().get(ADDRESS)

    assert answer.status_code == 401
    assert answer.json()["details"] == {"code": "NOT_AUTHENTICATED"}


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_what_another_team_has_is_not_there(method: str):
    made = factories.session(key="k")
    stranger = caller(team="strangers")

    answer = stranger.send(method, f"{ADDRESS}/k", {"state": "failed"})

    made.refresh_from_db()
    assert (answer.status_code, answer.json()) == (404, {"error": "Session k not found"})
    assert made.state == "created"
    assert stranger.get(ADDRESS).json()["count"] == 0
    assert stranger.get(f"{ADDRESS}/stats").json()["total"] == 0


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("GET", "", None),
        ("POST", "", SESSION),
        ("GET", "/stats", None),
        ("GET", "/k", None),
        ("PATCH", "/k", {"state": "running"}),
        ("PATCH", "/k", {"state": "init"}),
        ("DELETE", "/k", None),
    ],
)
def test_every_verb_needs_its_scope(method: str, address: str, body: Any):
    factories.session(key="k")
    program = caller(["audit:read"])

    answer = program.send(method, f"{ADDRESS}{address}", body)

    assert (answer.status_code, answer.json()["details"]["code"]) == (403, "PERMISSION_DENIED")


def test_a_viewer_is_not_told_where_a_session_may_go():
    factories.session_in(State.RUNNING, key="k")
    program = caller(["sessions:read"])

    answer = program.patch(f"{ADDRESS}/k", {"state": "init"})

    assert answer.status_code == 403


def test_the_pages_of_a_browser_show_it(admin_client: Client):
    factories.session(key="k")

    for part in ("", "/stats", "/k"):
        answer = admin_client.get(f"{ADDRESS}{part}", headers={"Accept": "text/html"})

        assert answer.status_code == 200
        assert "<html" in answer.content.decode()


# How often


def test_too_many_sessions_in_a_minute_are_told_to_wait(settings: Any):
    few = {"creates_per_minute": 2}
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=few)
    one, other = caller(), caller()

    answers = [one.post(ADDRESS, {**SESSION, "sessionId": f"s{n}"}) for n in range(3)]
    others = other.post(ADDRESS, {**SESSION, "sessionId": "others"})

    refused = answers[-1]
    wait = int(refused.headers["Retry-After"])
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert refused.json() == {
        "error": (
            f"That is more than 2 of this kind in 60 s. Wait {wait} s; "
            "an administrator may allow more."
        ),
        "details": {"code": "RATE_LIMITED", "retry_after": wait, "kind": "create", "most": 2},
    }
    assert 1 <= wait <= 60
    assert others.status_code == 201


def test_a_session_that_was_too_many_can_be_asked_for_again(settings: Any):
    plenty = django_settings.ENVIRONMENT
    program = caller()
    settings.ENVIRONMENT = plenty.model_copy(update={"creates_per_minute": 1})
    program.post(ADDRESS, {**SESSION, "sessionId": "first"})
    refused = program.post(ADDRESS, SESSION, idempotency_key="k")
    settings.ENVIRONMENT = plenty.model_copy(update={"creates_per_minute": 0})

    answer = program.post(ADDRESS, SESSION, idempotency_key="k")

    assert (refused.status_code, answer.status_code) == (429, 201)
