"""The Topics monitor: who sees which topics, which page of them, and what is said of each."""

import re

import msgspec
import pytest
from django.test import Client
from django.utils import timezone

from sessions.admin import sparks, topic_cells, topic_words
from sessions.admin.topic_words import Seen
from sessions.services import lifecycle
from streaming.hub.figures import SubscriberFigures, TopicFigures
from streaming.hub.watch import Reading
from streaming.models import Log
from tests.integration.admin.help import principal, text

pytestmark = pytest.mark.django_db

MONITOR = "/admin/aegis_streaming/log/"
EPOCH, CK = "00000000000000aa", "00000000000000bb"


def topic(session, name, **fields):
    return Log.objects.create(session=session, name=name, epoch=EPOCH, ck=CK, **fields)


def browse(user, address=MONITOR):
    client = Client()
    client.force_login(user)
    return client.get(address)


def shown(answer):
    return re.findall(r'data-topic="([^"]+)"', answer.content.decode())


@pytest.fixture
def session(new_session):
    return new_session("one")


@pytest.fixture
def watcher(person):
    return person("olga", "aegis_sessions.view_session", "aegis_streaming.view_log")


# Rows


def test_topics_of_sessions_in_view_are_listed_by_session_and_name(
    watcher, session, new_session, other_team
):
    newer, foreign = new_session("two"), new_session("far", team="others")
    for where, name in ((session, "b"), (session, "a"), (newer, "z"), (foreign, "secret")):
        topic(where, name)
    topic(session, "runs.1")

    answer = browse(watcher)

    assert shown(answer) == ["z", "a", "b"]
    assert "secret" not in text(answer)


def test_who_may_not_read_topics_is_turned_away(viewer, session):
    topic(session, "book")

    assert browse(viewer).status_code == 403
    assert browse(viewer, f"{MONITOR}{session.pk}/book/").status_code == 403


def test_topics_are_a_place_only_for_who_may_read_them(viewer, watcher):
    sessions = "/admin/aegis_sessions/session/"

    assert MONITOR in browse(watcher, sessions).content.decode()
    assert MONITOR not in browse(viewer, sessions).content.decode()


def test_topic_of_another_team_is_not_there(watcher, new_session, other_team):
    foreign = new_session("far", team="others")
    row = topic(foreign, "book")

    assert browse(watcher, f"{MONITOR}{foreign.pk}/book/").status_code == 404
    assert browse(watcher, f"{MONITOR}{row.pk}/change/").status_code == 404


@pytest.mark.parametrize("name", ["ledger", "runs.1", "nothing", "a b", "..", "*"])
def test_what_is_no_topic_has_no_page(watcher, session, name):
    topic(session, "runs.1")

    assert browse(watcher, f"{MONITOR}{session.pk}/{name}/").status_code == 404


def test_row_of_a_topic_leads_to_its_page(watcher, session):
    row = topic(session, "book")

    answer = browse(watcher, f"{MONITOR}{row.pk}/change/")

    assert (answer.status_code, answer["Location"]) == (302, f"{MONITOR}{session.pk}/book/")


@pytest.mark.parametrize(
    ("words", "found"),
    [("book", ["book.BTC"]), ("ONE", ["book.BTC", "klines"]), ("feed kli", ["klines"]), ("x", [])],
)
def test_search_looks_at_topics_sessions_and_components(
    watcher, session, new_session, new_component, words, found
):
    new_component(session, "feed-a")
    for where, name in ((session, "book.BTC"), (session, "klines"), (new_session("two"), "trades")):
        topic(where, name)

    assert shown(browse(watcher, f"{MONITOR}?q={words}")) == found


def test_closed_sessions_have_a_view_of_their_own(watcher, superuser, session, new_session):
    topic(session, "book")
    over = new_session("over")
    topic(over, "past")
    lifecycle.end(principal=principal(superuser), session=over, reason="")

    assert shown(browse(watcher)) == ["book"]
    assert shown(browse(watcher, f"{MONITOR}?view=closed")) == ["past"]


def test_topics_of_one_session_can_be_asked_for(watcher, session, new_session):
    topic(session, "book")
    topic(new_session("two"), "klines")

    assert shown(browse(watcher, f"{MONITOR}?session={session.pk}")) == ["book"]
    assert shown(browse(watcher, f"{MONITOR}?session=nonsense&view=nonsense&after=x")) == [
        "klines",
        "book",
    ]


def test_pages_follow_each_other_without_a_count(watcher, session, new_session):
    names = [f"t{number:03}" for number in range(120)]
    for where in (session, new_session("two")):
        for name in names:
            topic(where, name)
    found, address, pages = [], MONITOR, 0

    while address:
        answer = browse(watcher, address)
        found += shown(answer)
        pages += 1
        following = re.search(r'href="(\?[^"]*after=\d+[^"]*)">Next', answer.content.decode())
        address = MONITOR + following[1].replace("&amp;", "&") if following else ""

    assert (found, pages) == (names * 2, 5)


def test_page_costs_the_same_queries_for_one_row_and_for_many(
    watcher, session, django_assert_max_num_queries
):
    topic(session, "a")
    client = Client()
    client.force_login(watcher)
    with django_assert_max_num_queries(12) as few:
        client.get(MONITOR)
    for number in range(20):
        topic(session, f"t{number}")

    with django_assert_max_num_queries(len(few)):
        client.get(MONITOR)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "A topic is a named stream"),
        ("?q=nothing", "No topic matches"),
        ("?view=silent", "No topic is silent"),
        ("?view=behind", "Nobody falls behind"),
        ("?view=dropping", "Nothing is dropped"),
        ("?view=closed", "No closed session has topics"),
    ],
)
def test_empty_monitor_says_why(watcher, address, words):
    assert words in text(browse(watcher, MONITOR + address))


def test_monitor_without_a_hub_says_that_it_is_partial(watcher, session):
    topic(session, "book")

    assert "only the listing is shown" in text(browse(watcher))


# Words


def figures(**fields):
    given = {
        "name": "book",
        "alias": 1,
        "epoch": EPOCH,
        "start": 1,
        "head": 9,
        "ck": CK,
        "records": 9,
        "bytes": 90,
        "subscribers": 1,
        "deliveries": 9,
        "gaps": 0,
        "dropped": 0,
        "last_ts": 0,
        "lag": 0,
        "is_source": False,
        "is_ended": False,
    }
    return TopicFigures(**{**given, **fields})


def subscriber(**fields):
    given = {
        "component_id": "c-1",
        "policy": "drop",
        "lag": 0,
        "gaps": 0,
        "dropped": 0,
        "unsent": None,
        "is_stuck": False,
        "is_paused": False,
        "is_open": True,
    }
    return SubscriberFigures(**{**given, **fields})


def seen(session, reading):
    return Seen(Log(session=session, name="book"), reading, {"c-1": "pnl-sink", "c-2": "exchange"})


def words(one, column):
    return text(topic_cells.row(one, now=timezone.now())[column])


def test_silent_topic_says_since_when_and_what_is_normal(session, superuser):
    lifecycle.start(principal=principal(superuser), session=session)
    session.refresh_from_db()
    reading = Reading(figures=figures(), quiet=46.4, gap=0.1, is_silent=True)
    one = seen(session, reading)

    assert "book silent 46 s, normal gap 0.1 s." in words(one, "topic")


def test_topic_of_a_session_that_does_not_run_is_not_silent(session):
    one = seen(session, Reading(figures=figures(), quiet=46, gap=0.1, is_silent=True))

    assert "silent" not in words(one, "topic")


def test_topic_with_nobody_subscribed_is_nothing_odd(session):
    one = seen(session, Reading(figures=figures(subscribers=0), rate=20.0, writers=["c-2"]))

    assert [words(one, name) for name in ("subscribers", "lag", "age")] == ["0", "–", "–"]
    assert topic_words.production(one) == (
        "exchange produces 20 records per second; nobody is subscribed."
    )


def test_who_falls_behind_is_named(session):
    slow = subscriber(lag=1240)
    reading = Reading(
        figures=figures(lag=1240),
        rate=820.0,
        size=142_000.0,
        lag_seconds=1.5,
        slowest=slow,
        subscribers=[slow],
        writers=["c-2", "user:ana"],
        policies=["conflate", "drop"],
    )
    one = seen(session, reading)

    assert "book: pnl-sink is 1 240 records behind." in words(one, "topic")
    assert [words(one, name) for name in ("publisher", "bytes", "lag", "age", "policy")] == [
        "exchange +1",
        "142 kB",
        "1 240 rec",
        "1.5 s",
        "conflate, drop",
    ]
    assert topic_words.production(one) == (
        "exchange and ana produce 820 records per second; pnl-sink is 1\u2009240 behind."
    )


def test_lag_that_is_older_than_what_is_remembered_says_so(session):
    reading = Reading(figures=figures(lag=9), lag_seconds=None, rates=[1.0] * 60, step=2.0)

    assert words(seen(session, reading), "age") == "&gt; 2:00"


def test_drops_are_red_only_while_they_happen(session):
    for is_dropping, tone in ((True, "bad"), (False, "")):
        reading = Reading(figures=figures(dropped=212), is_dropping=is_dropping)
        html = topic_cells.row(seen(session, reading), now=timezone.now())["drops"]
        assert f'data-tone="{tone}">212<' in html


def test_rule_of_the_session_tells_tape_and_schema(session):
    session.config = {"topics": [{"pattern": "book", "schema": {}, "recorded": True}]}
    one = seen(session, None)

    assert [words(one, name) for name in ("recorded", "schema", "policy")] == ["yes", "yes", "drop"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0 B"),
        (214, "214 B"),
        (1800, "1.8 kB"),
        (142_000, "142 kB"),
        (3e6, "3.0 MB"),
        (4e9, "4.0 GB"),
    ],
)
def test_bytes_are_said_shortly(value, said):
    assert topic_words.size(value) == said


def test_spark_draws_the_silent_end_apart():
    html = sparks.spark([4.0, 4.0, 0.0, 0.0], is_silent=True)

    lines = re.findall(r'points="([^"]*)"', html)
    assert lines == ["3.0,3.0 26.3,3.0", "26.3,3.0 49.7,19.0 73.0,19.0"]
    assert "data-odd" in html


def test_spark_of_a_lively_topic_is_one_line():
    html = sparks.spark([0.0, 4.0, 0.0], is_silent=False)

    assert re.findall(r'points="([^"]*)"', html) == ["3.0,19.0 38.0,3.0 73.0,19.0", ""]
    assert "data-odd" not in html


def test_spark_of_nothing_has_its_room():
    assert "polyline" not in sparks.spark([], is_silent=False)


def test_reading_survives_the_way_between_processes():
    reading = Reading(figures=figures(), subscribers=[subscriber()], slowest=subscriber(lag=3))

    assert msgspec.json.decode(msgspec.json.encode(reading), type=Reading) == reading
