import pytest

from components.core.lifecycle import Role
from components.services.registry import Expected
from sessions.core.lifecycle import State
from streaming.models import Event
from tests import factories
from tests.calling import Caller, caller, code

pytestmark = pytest.mark.django_db

SESSIONS = "/api/v1/sessions"
COMPONENTS = "/api/v1/components"
TOPICS = "/api/v1/topics"


def named(response, field: str = "name") -> list[str]:
    return [one[field] for one in response.json()["data"]]


# Components


def test_a_component_is_read_by_id_name_or_a_beginning(program: Caller):
    made = factories.session(key="k", expected=[Expected(name="prices"), Expected(name="sink")])
    prices = made.components.get(name="prices")

    found = [
        program.get(f"{SESSIONS}/k/components/{reference}").json()
        for reference in (prices.pk, "prices", "PRI", str(prices.pk)[:8])
    ]

    assert [one["id"] for one in found] == [str(prices.pk)] * 4
    assert found[0] == program.get(f"{COMPONENTS}/{prices.pk}").json()
    assert found[0]["session_id"] == str(made.pk)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("none", (404, "COMPONENT_NOT_FOUND")),
        ("feed", (409, "COMPONENT_AMBIGUOUS")),
        ("%00", (404, "NOT_FOUND")),
    ],
)
def test_a_reference_that_means_no_component_is_refused(
    program: Caller, reference: str, answer: tuple[int, str]
):
    factories.session(key="k", expected=[Expected(name="feed-1"), Expected(name="feed-2")])

    assert code(program.get(f"{SESSIONS}/k/components/{reference}")) == answer


def test_components_of_all_sessions_are_listed_and_filtered(program: Caller):
    first = factories.session(key="a", expected=[Expected(name="one"), Expected(name="two")])
    factories.session(key="b", expected=[Expected(name="three", role=Role.FEED)])
    factories.readied(first, "one")

    assert named(program.get(COMPONENTS)) == ["three", "two", "one"]
    assert named(program.get(f"{COMPONENTS}?session={first.pk}")) == ["two", "one"]
    assert named(program.get(f"{COMPONENTS}?state=ready")) == ["one"]
    assert named(program.get(f"{COMPONENTS}?role=feed")) == ["three"]
    assert named(program.get(f"{COMPONENTS}?name=two&fields=name")) == ["two"]
    page = program.get(f"{COMPONENTS}?limit=2").json()
    assert named(program.get(f"{COMPONENTS}?cursor={page['next']}")) == ["one"]


@pytest.mark.parametrize("query", ["session=x", "state=bad", "role=boss", "colour=red", "name=%00"])
def test_a_filter_of_components_that_cannot_be_is_refused(program: Caller, query: str):
    assert code(program.get(f"{COMPONENTS}?{query}")) == (400, "VALIDATION_ERROR")


def test_components_of_another_team_are_not_there():
    made = factories.session(expected=[Expected(name="feed")])
    stranger = caller(team="strangers")

    assert named(stranger.get(COMPONENTS)) == []
    assert code(stranger.get(f"{COMPONENTS}/{made.components.get().pk}")) == (
        404,
        "COMPONENT_NOT_FOUND",
    )
    assert code(stranger.get(f"{COMPONENTS}/none")) == (404, "COMPONENT_NOT_FOUND")


def test_what_a_component_said_is_shown_however_large_its_numbers(program: Caller):
    made = factories.session(key="k")
    factories.registered(made, "feed", capabilities={"rate": 1e300})

    answer = program.get(f"{SESSIONS}/k/components/feed")

    assert float(answer.json()["capabilities"]["rate"]) == 1e300


# Events


def test_events_are_the_ledgers_own_text_in_order(program: Caller):
    made = factories.session_in(State.STOPPED, key="k")

    said = program.get(f"{SESSIONS}/k/events").json()

    types = ["session.created", "session.activated", "session.suspended"]
    assert [one["type"] for one in said["data"]] == types
    assert [one["seq"] for one in said["data"]] == [1, 2, 3]
    assert (said["head"], said["next"]) == (3, 3)
    assert said["epoch"] == made.logs.get(name="ledger").epoch
    bodies = list(Event.objects.order_by("seq").values_list("body", flat=True))
    assert all(body in program.get(f"{SESSIONS}/k/events").content.decode() for body in bodies)


def test_events_are_read_on_and_back(program: Caller):
    factories.session_in(State.ENDED, key="k", name="x")
    for number in range(3):
        factories.session(key=f"other{number}")
    program.patch(f"{SESSIONS}/other0", {"name": "1"})
    program.patch(f"{SESSIONS}/other0", {"name": "2"})

    def seqs(query: str) -> tuple[list[int], int]:
        said = program.get(f"{SESSIONS}/other0/events?{query}").json()
        return [one["seq"] for one in said["data"]], said["next"]

    assert seqs("limit=1") == ([1], 1)
    assert seqs("after=1&limit=1") == ([2], 2)
    assert seqs("after=3") == ([], 3)
    assert seqs("before=3&limit=1") == ([2], 2)
    assert seqs("before=3") == ([1, 2], 2)
    assert seqs("after=1&before=3") == ([2], 2)


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=9007199254740992", "limit=0"])
def test_a_place_in_the_ledger_that_cannot_be_is_refused(program: Caller, query: str):
    factories.session(key="k")

    assert code(program.get(f"{SESSIONS}/k/events?{query}")) == (400, "VALIDATION_ERROR")


# Topics, as far as no server runs; the rest is tested with one


def test_the_logs_of_a_session_are_topics(program: Caller):
    made = factories.session(key="k")
    log = made.logs.get()

    [topic] = program.get(f"{SESSIONS}/k/topics").json()["data"]

    assert topic == program.get(TOPICS).json()["data"][0]
    assert (topic["name"], topic["head"], topic["live"]) == ("ledger", 1, None)
    assert topic["position"] == f"{log.epoch}:1:{log.ck}"


def test_topics_are_filtered_and_of_the_own_team(program: Caller):
    first, second = factories.session(), factories.session()
    factories.session(team=factories.team("strangers").name)

    assert set(named(program.get(TOPICS), "session_id")) == {str(first.pk), str(second.pk)}
    assert named(program.get(f"{TOPICS}?session={first.pk}"), "session_id") == [str(first.pk)]
    assert named(program.get(f"{TOPICS}?name=klines"), "session_id") == []


def test_without_a_server_nobody_knows_the_records(program: Caller):
    factories.session(key="k")

    answer = program.get(f"{SESSIONS}/k/topics/ledger")

    assert code(answer) == (503, "SERVICE_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("method", "topic", "scopes", "answer"),
    [
        ("GET", "klines", ["audit:read"], (403, "PERMISSION_DENIED")),
        ("GET", "ledger", ["topics:read"], (403, "PERMISSION_DENIED")),
        ("GET", "a..b", ["topics:read"], (404, "TOPIC_NOT_FOUND")),
        ("POST", "klines", ["topics:read"], (403, "PERMISSION_DENIED")),
        ("POST", "ledger", ["topics:publish"], (403, "TOPIC_FORBIDDEN")),
        ("POST", "a..b", ["topics:publish"], (400, "UNKNOWN_TOPIC")),
    ],
)
def test_a_topic_needs_its_scope_and_a_name(
    method: str, topic: str, scopes: list[str], answer: tuple[int, str]
):
    factories.session(key="k")

    found = caller(scopes).send(method, f"{SESSIONS}/k/topics/{topic}", {"records": [{"data": 1}]})

    assert code(found) == answer


def test_nothing_is_published_into_a_closed_session(program: Caller):
    made = factories.session_in(State.ENDED)

    answer = program.post(f"{SESSIONS}/{made.pk}/topics/a", {"records": [{"data": 1}]})

    assert code(answer) == (410, "SESSION_OVER")


@pytest.mark.parametrize(
    "body", [{}, {"records": []}, {"records": [{}]}, {"records": [{"data": 1, "ts": -1}]}]
)
def test_records_that_cannot_be_are_refused(program: Caller, body):
    factories.session(key="k")

    answer = program.post(f"{SESSIONS}/k/topics/a", body)

    assert code(answer) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("query", ["after=x", "start=never", "limit=0", "wait=21"])
def test_a_place_in_a_topic_that_cannot_be_is_refused(program: Caller, query: str):
    factories.session(key="k")

    assert code(program.get(f"{SESSIONS}/k/topics/a?{query}")) == (400, "VALIDATION_ERROR")
