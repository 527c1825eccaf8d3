import pytest

from sessions.core import tags as words
from sessions.models import Session, SessionTag, Tag
from sessions.selectors import tags as reading
from sessions.services import conversation
from sessions.services.conversation import Utterance
from streaming.models import AuditEntry
from tests import factories
from tests.calling import Caller, caller, code
from tests.factories import OPERATOR

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

TAGS = "/api/v1/tags"


def names(answer) -> list[str]:
    return [one["name"] for one in answer.json()["data"]]


def test_the_six_of_the_system_are_there_once_and_do_not_change(program: Caller):
    Tag.objects.all().delete()

    first, second = program.get(TAGS), program.get(TAGS)

    assert {one["name"]: one["color"] for one in first.json()["data"]} == words.SYSTEM
    assert {one["is_system"] for one in first.json()["data"]} == {True}
    assert second.json() == first.json()
    assert code(program.patch(f"{TAGS}/work", {"color": "#000000"})) == (403, "PERMISSION_DENIED")
    assert code(program.delete(f"{TAGS}/work")) == (403, "PERMISSION_DENIED")
    assert code(program.post(TAGS, {"name": "Work"})) == (409, "TAG_ALREADY_EXISTS")
    assert Tag.objects.get(name="work").color == words.SYSTEM["work"]


def test_a_tag_is_made_read_changed_and_removed(program: Caller):
    made = program.post(TAGS, {"name": " Needs  Review", "color": "#F57C00"})
    again = program.post(TAGS, {"name": "needs review"})
    changed = program.patch(f"{TAGS}/needs-review", {"description": "to be looked at"})
    read = program.get(f"{TAGS}/Needs Review")
    removed = program.delete(f"{TAGS}/needs-review")

    assert (made.status_code, made.json()["name"], made.json()["color"]) == (
        201,
        "needs-review",
        "#f57c00",
    )
    assert code(again) == (409, "TAG_ALREADY_EXISTS")
    assert changed.json() == made.json() | {"description": "to be looked at"} == read.json()
    assert removed.status_code == 204
    assert code(program.get(f"{TAGS}/needs-review")) == (404, "TAG_NOT_FOUND")
    told = AuditEntry.objects.filter(target="needs-review", outcome="ok").order_by("pk")
    assert list(told.values_list("command", flat=True)) == [
        "tag.create",
        "tag.change",
        "tag.remove",
    ]


@pytest.mark.parametrize("wrong", [{"name": "a,b"}, {"name": ""}, {"name": "a", "color": "red"}])
def test_a_tag_that_cannot_be_is_refused(program: Caller, wrong):
    assert code(program.post(TAGS, wrong)) == (400, "VALIDATION_ERROR")


def test_everybody_has_tags_of_their_own(program: Caller):
    other = caller()
    program.post(TAGS, {"name": "mine", "color": "#111111"})
    other.post(TAGS, {"name": "mine", "color": "#222222"})

    assert program.get(f"{TAGS}/mine").json()["color"] == "#111111"
    assert other.get(f"{TAGS}/mine").json()["color"] == "#222222"
    assert other.delete(f"{TAGS}/mine").status_code == 204
    assert program.get(f"{TAGS}/mine").status_code == 200
    assert code(caller(["sessions:read"]).post(TAGS, {"name": "x"})) == (403, "PERMISSION_DENIED")
    assert code(caller(["runs:read"]).get(TAGS)) == (403, "PERMISSION_DENIED")


def test_tags_are_put_on_a_session_once_and_taken_off(program: Caller):
    session = factories.session(key="k", team="default")
    version = session.version

    put = program.post("/api/v1/sessions/k/tags", {"tags": ["Work", "fresh", "work"]})
    again = program.post("/api/v1/sessions/k/tags", {"tags": ["fresh"]})
    by_other = caller().post("/api/v1/sessions/k/tags", {"tags": ["fresh", "more"]})
    off = program.delete("/api/v1/sessions/k/tags/work")
    absent = program.delete("/api/v1/sessions/k/tags/work")

    assert put.json() == again.json() == {"data": ["work", "fresh"]}
    assert by_other.json() == {"data": ["work", "fresh", "more"]}
    assert (off.status_code, code(absent)) == (204, (404, "TAG_NOT_FOUND"))
    assert program.get("/api/v1/sessions/k/tags").json() == {"data": ["fresh", "more"]}
    assert program.get("/api/v1/sessions/k?fields=tags").json() == {"tags": ["fresh", "more"]}
    assert SessionTag.objects.filter(session=session).count() == 2
    session.refresh_from_db()
    assert session.version == version
    assert factories.events(session) == [
        "session.created", "session.updated", "session.updated", "session.updated",
    ]  # fmt: skip


def test_a_tag_that_is_removed_leaves_the_sessions_that_carried_it(program: Caller):
    session = factories.session(key="k", team="default")
    program.post("/api/v1/sessions/k/tags", {"tags": ["mine", "work"]})

    program.delete(f"{TAGS}/mine")

    assert Session.objects.get(pk=session.pk).tags == ["work"]


def test_sessions_are_found_by_their_tag(program: Caller, anywhere):
    for key in ("a", "b"):
        factories.session(key=key, team="default")
    program.post("/api/v1/sessions/a/tags", {"tags": ["Needs Review"]})
    caller().post("/api/v1/sessions/a/tags", {"tags": ["other"]})

    found = program.get("/api/v1/sessions?tag=needs-review&fields=key").json()["data"]
    nothing = program.get("/api/v1/sessions?tag=work&fields=key").json()["data"]
    wrong = program.get("/api/v1/sessions?tag=a,b")

    assert (found, nothing) == ([{"key": "a"}], [])
    assert code(wrong) == (400, "VALIDATION_ERROR")
    assert anywhere("session", "list", "--tag", "needs-review", "-q").out.split() == [
        str(Session.objects.get(key="a").pk)
    ]


def test_a_session_out_of_sight_carries_nothing(program: Caller):
    factories.team("other")
    factories.session(key="hidden", team="other")

    for answer in (
        program.get("/api/v1/sessions/hidden/tags"),
        program.post("/api/v1/sessions/hidden/tags", {"tags": ["x"]}),
        program.delete("/api/v1/sessions/hidden/tags/x"),
        program.get("/api/v1/sessions/hidden/tags/suggested"),
    ):
        assert code(answer) == (404, "SESSION_NOT_FOUND")


def test_popular_tags_are_those_of_the_sessions_in_sight(program: Caller):
    factories.team("other")
    for key, team, put in (
        ("a", "default", "two"),
        ("b", "default", "two one"),
        ("c", "other", "x"),
    ):
        factories.session(key=key, team=team)
        caller(team=team).post(f"/api/v1/sessions/{key}/tags", {"tags": ["work"]})
        program.post(f"/api/v1/sessions/{key}/tags", {"tags": put.split()})

    found = program.get(f"{TAGS}/popular").json()["data"]

    used = [(one["name"], one["use_count"]) for one in found]
    assert used[:3] == [("work", 2), ("two", 2), ("one", 1)]
    assert len(found) == 8


def test_suggestions_speak_of_what_the_session_is_about(program: Caller):
    session = factories.session(key="k", name="Notes", team="default")
    program.post(TAGS, {"name": "garden", "description": "roses and vegetables"})
    conversation.say(
        principal=OPERATOR, session=session, draft=Utterance("My roses at work", answers=False)
    )

    found = program.get("/api/v1/sessions/k/tags/suggested")
    program.post("/api/v1/sessions/k/tags", {"tags": ["garden"]})
    after = program.get("/api/v1/sessions/k/tags/suggested")

    assert names(found) == ["work", "garden"]
    assert names(after) == ["work"]


def test_the_tags_of_the_command_line(anywhere):
    factories.session(key="k")
    made = anywhere("tag", "create", "Needs Review", "--color", "#f57c00")
    changed = anywhere("tag", "change", "needs-review", "--description", "soon", "--json").document
    put = anywhere("session", "tag", "k", "work", "needs-review")
    off = anywhere("session", "untag", "k", "work", "nothing")
    suggested = anywhere("tag", "suggest", "k", "-q").out.split()
    popular = anywhere("tag", "list", "--popular")
    planned = anywhere("tag", "remove", "needs-review", "--dry-run", "-q")
    removed = anywhere("tag", "remove", "needs-review", "work", "--yes", "-q")

    assert (made.out, put.out) == ("needs-review  #f57c00\n", "k  work needs-review\n")
    assert changed["data"]["description"] == "soon"
    assert (off.out, off.code) == ("k  needs-review\n", 7)
    assert len(suggested) == 5
    assert popular.out.splitlines()[1].split() == ["needs-review", "#f57c00", "you", "1", "soon"]
    assert (planned.out, removed.out, removed.code) == ("needs-review\n", "needs-review\n", 7)
    assert sorted(reading.readable(OPERATOR).values_list("name", flat=True)) == sorted(words.SYSTEM)
