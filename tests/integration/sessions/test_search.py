from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection
from django.utils import timezone

from sessions.core.conversation import Role
from sessions.models import Message, Session
from sessions.selectors import search
from sessions.selectors.search import Wanted
from sessions.services import conversation, messages, tags
from sessions.services.conversation import Utterance
from tests import factories
from tests.calling import Caller, caller, code
from tests.factories import OPERATOR

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

SEARCH = "/api/v1/search"


def say(session: Session, *texts: str, role: Role = Role.USER) -> list[Message]:
    return [
        conversation.say(
            principal=OPERATOR, session=session, draft=Utterance(text, role=role, answers=False)
        ).message
        for text in texts
    ]


def found(text: str, **wanted) -> list[str]:
    hits = search.find(OPERATOR, text, Wanted(**wanted)).hits
    return [one.message.session.messages.get(pk=one.message.pk).content for one in hits]


def test_the_ranking_is_as_documented():
    session = factories.session(key="k")
    say(
        session,
        "the gap of a price",
        "a price gap",
        "nothing of it",
        "price gap and PRICE GAP again",
        "gap, price",
    )

    assert found("price gap") == [
        "price gap and PRICE GAP again",
        "a price gap",
        "gap, price",
        "the gap of a price",
    ]


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
def test_pages_follow_each_other(program: Caller, sort):
    session = factories.session(key="k", name="gap", team="default")
    said = say(session, *(f"gap {number}" for number in range(5)))
    in_order = [str(one.pk) for one in (said if sort == "oldest" else said[::-1])]

    pages = [
        program.get(f"/api/v1/search?q=gap&limit=2&offset={offset}&sort={sort}").json()
        for offset in (0, 2, 4, 6)
    ]

    assert [one["message"] for page in pages for one in page["data"]] == in_order
    assert [page["has_more"] for page in pages] == [True, True, False, False]
    assert [len(page["sessions"]) for page in pages] == [1, 0, 0, 0]
    assert pages[3]["suggestions"] == []


def test_one_of_the_words_is_enough_only_if_nobody_said_all():
    session = factories.session(key="k")
    say(session, "the gap", "the price", "the price of the gap")

    assert found("price gap") == ["the price of the gap"]
    assert found("price nowhere") == ["the price of the gap", "the price"]
    assert found("nowhere") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("incid*", ["incidents"]),
        ("BTCUSDT", ["klines.BTCUSDT.1m"]),
        ("12", ["at 12:30"]),
        ("größe", ["die Größe"]),
        ("' OR 1=1 --", ["or 1 1"]),
        ("NOT", ["not AND near"]),
        ("near", ["not AND near"]),
    ],
)
def test_words_are_words_on_both_databases(text, said):
    session = factories.session(key="k")
    say(
        session, "incidents", "klines.BTCUSDT.1m", "at 12:30", "die Größe", "or 1 1", "not AND near"
    )

    assert found(text) == said


def test_times_roles_sessions_and_tags_narrow_a_search():
    one, two = factories.session(key="one"), factories.session(key="two")
    first, second = say(one, "gap one", "gap two")
    say(two, "gap three", role=Role.SYSTEM)
    Message.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(days=30))
    tags.put(principal=OPERATOR, session=two, names=["work"])

    assert found("gap", session="one") == ["gap two", "gap one"]
    assert found("gap", role=Role.SYSTEM) == ["gap three"]
    assert found("gap", tag="work") == ["gap three"]
    assert found("gap", until=timezone.now() - timedelta(days=1)) == ["gap one"]
    assert found("gap", since=second.created_at, session="one") == ["gap two"]
    assert found("gap", sort="oldest", limit=2)[0] in {"gap one", "gap two"}
    assert len(found("gap", limit=1)) == 1


def test_scopes_are_ones_own_and_of_the_last_week():
    mine = factories.member(factories.team("default"), label="me")
    own = factories.session(principal=mine, key="own")
    old = factories.session(key="old")
    say(own, "gap own")
    say(old, "gap old")
    Session.objects.filter(pk=old.pk).update(last_activity_at=timezone.now() - timedelta(days=8))

    hits = search.find(mine, "gap", Wanted(scope="mine")).hits

    assert [one.message.session_id for one in hits] == [own.pk]
    assert found("gap", scope="recent") == ["gap own"]
    assert set(found("gap")) == {"gap own", "gap old"}


def test_what_left_the_chosen_branch_or_was_removed_is_not_found():
    session = factories.session(key="k")
    _, left, gone = say(session, "gap kept", "gap left", "gap gone")
    messages.take_back(session, left)

    Message.objects.filter(pk=gone.pk).delete()

    assert found("gap") == ["gap kept"]


def test_content_that_changes_is_found_as_it_is_now():
    session = factories.session(key="k")
    [message] = say(session, "before")

    Message.objects.filter(pk=message.pk).update(content="after")

    assert (found("before"), found("after")) == ([], ["after"])


def test_the_index_holds_no_more_than_there_is():
    session = factories.session(key="k")
    say(session, "one", "two")
    Message.objects.filter(session=session).delete()

    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM aegis_sessions_search_entry")
            assert cursor.fetchone() == (0,)
            cursor.execute(
                "SELECT COUNT(*) FROM sqlite_master WHERE type = 'trigger'"
                " AND tbl_name = 'aegis_sessions_message'"
            )
            # Who alters the table of messages on SQLite makes its triggers anew (0010_search).
            assert cursor.fetchone() == (3,)
    assert found("one") == []


def test_others_see_nothing_of_it(program: Caller):
    factories.team("other")
    hidden = factories.session(key="hidden", team="other", name="gap of others")
    say(hidden, "gap")

    whole = program.get(f"{SEARCH}?q=gap").json()
    one = program.get("/api/v1/sessions/hidden/search?q=gap")
    named = program.get(f"{SEARCH}?q=gap&session=hidden")
    near = program.get(f"{SEARCH}?q=gapp").json()

    assert whole == {"data": [], "has_more": False, "sessions": [], "suggestions": []} == near
    assert (code(one), code(named)) == ((404, "SESSION_NOT_FOUND"),) * 2
    assert code(caller(["sessions:read"]).get(f"{SEARCH}?q=gap")) == (403, "PERMISSION_DENIED")


def test_a_search_answers_with_marks_and_never_with_html(program: Caller):
    session = factories.session(key="k", team="default", name="The gap")
    [message] = say(session, "<b>a price gap</b>")

    answer = program.get(f"{SEARCH}?q=price gap").json()

    assert answer["data"] == [
        {
            "message": str(message.pk),
            "session": str(session.pk),
            "session_key": "k",
            "session_name": "The gap",
            "place": 1,
            "role": "user",
            "author": "user:operator",
            "agent": "",
            "score": 1.1,
            "snippets": [{"text": "<b>a price gap</b>", "marks": [[5, 10], [11, 14]]}],
            "created_at": answer["data"][0]["created_at"],
        }
    ]
    assert program.get("/api/v1/sessions/k/search?q=gap").json()["sessions"] == []
    assert program.get(f"{SEARCH}?q=the gap").json()["sessions"] == [
        {"id": str(session.pk), "key": "k", "name": "The gap", "state": "created"}
    ]


def test_words_that_nobody_said_bring_suggestions(program: Caller):
    say(factories.session(key="k", team="default"), "the incident at noon")

    answer = program.get(f"{SEARCH}?q=incidnt").json()

    assert answer == {"data": [], "has_more": False, "sessions": [], "suggestions": ["incident"]}


@pytest.mark.parametrize(
    "query",
    ["", "q=", "q=!", "q=a&sort=best", "q=a&limit=51", "q=a&since=noon", "q=a&tag=b,c",
     "q=a&since=0001-01-01T00:00:00Z", "q=a%00", "q=" + "+".join("abcdefghijk")],
)  # fmt: skip
def test_a_search_that_cannot_be_is_refused(program: Caller, query):
    assert code(program.get(f"{SEARCH}?{query}")) == (400, "VALIDATION_ERROR")


def test_the_command_line_searches(anywhere):
    session = factories.session(key="k", name="Notes")
    [message] = say(session, "a price gap")

    table = anywhere("search", "gap", "--session", "k")
    ids = anywhere("search", "gap", "--sort", "newest", "-q")
    document = anywhere("search", "gap", "--json").document
    nothing = anywhere("search", "gapp")

    assert table.out.splitlines()[1].split() == ["k", "1", "user", "1.1", "a", "price", "[gap]"]
    assert ids.out == f"{message.pk}\n"
    assert (document["schema"], document["meta"]) == ("aegis.search/1", {"count": 1})
    assert nothing.err == "Nothing. Perhaps: gap\n"
    assert anywhere("search", "!").code == 2


@pytest.mark.django_db(transaction=True)
def test_what_was_said_before_beginnings_had_an_index_is_found_by_them():
    say(factories.session(key="k"), "the opening bell")
    step = import_module("sessions.migrations.0016_search_prefixes")

    for turn in (step.undo, step.make):
        with connection.schema_editor(atomic=False) as editor:
            turn(None, editor)

        assert found("op*") == ["the opening bell"]
    if connection.vendor == "sqlite":
        asked = "SELECT sql FROM sqlite_master WHERE name = 'aegis_sessions_search'"
        with connection.cursor() as cursor:
            assert "prefix='1 2 3'" in cursor.execute(asked).fetchone()[0]
