"""Places in sessions that somebody wants to find again."""

import pytest

from sessions.core import bookmarks as rules
from sessions.models import Bookmark, Session
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

ALL = "/api/v1/bookmarks"
OF = "/api/v1/sessions/k/bookmarks"


@pytest.fixture
def session() -> Session:
    return factories.session(key="k", team="default")


def said(session: Session, text: str = "hello") -> str:
    draft = Utterance(content=text, answers=False)
    return str(conversation.say(principal=OPERATOR, session=session, draft=draft).message.pk)


def names(answer) -> list[str]:
    return [one["name"] for one in answer.json()["data"]]


def test_a_bookmark_is_made_read_changed_and_removed(program: Caller, session):
    message, events = said(session), factories.events(session)

    made = program.post(OF, {"message": message, "name": "Here", "note": "look"})
    changed = program.patch(f"{ALL}/{made.json()['id']}", {"color": "#2196F3", "note": ""})
    read = program.get(f"{ALL}/{made.json()['id']}")
    removed = program.delete(f"{ALL}/{made.json()['id']}")

    assert (made.status_code, made["Location"]) == (201, f"{ALL}/{made.json()['id']}")
    wanted = {
        "session_key": "k", "message_id": message, "place": 1, "seq": None, "name": "Here",
        "note": "look", "color": rules.COLOURS[0], "is_shared": False, "is_own": True,
    }  # fmt: skip
    assert made.json() | wanted == made.json()
    changes = {"color": "#2196f3", "note": "", "updated_at": read.json()["updated_at"]}
    assert changed.json() == read.json() == made.json() | changes
    assert removed.status_code == 204
    assert code(program.get(f"{ALL}/{made.json()['id']}")) == (404, "BOOKMARK_NOT_FOUND")
    assert factories.events(session) == events
    told = AuditEntry.objects.filter(command__startswith="bookmark.", outcome="ok").order_by("pk")
    assert list(told.values_list("command", flat=True)) == [
        "bookmark.create",
        "bookmark.change",
        "bookmark.remove",
    ]


def test_a_message_or_event_is_kept_once_by_each(program: Caller, session):
    message = said(session)

    first = [program.post(OF, body) for body in ({"message": message}, {"seq": 1})]
    again = [program.post(OF, body) for body in ({"message": message}, {"seq": 1})]
    others = [caller().post(OF, body) for body in ({"message": message}, {"seq": 1})]

    assert [one.status_code for one in first + others] == [201] * 4
    assert [code(one) for one in again] == [(409, "BOOKMARK_ALREADY_EXISTS")] * 2
    assert names(program.get(OF)) == ["", ""]


@pytest.mark.parametrize(
    ("wrong", "refused"),
    [
        ({}, (400, "VALIDATION_ERROR")),
        ({"seq": 1, "message": "00000000-0000-0000-0000-000000000000"}, (400, "VALIDATION_ERROR")),
        ({"seq": 99}, (400, "VALIDATION_ERROR")),
        ({"seq": 0}, (400, "VALIDATION_ERROR")),
        ({"seq": 1, "color": "red"}, (400, "VALIDATION_ERROR")),
        ({"seq": 1, "name": "x" * 201}, (400, "VALIDATION_ERROR")),
        ({"message": "00000000-0000-0000-0000-000000000000"}, (404, "MESSAGE_NOT_FOUND")),
    ],
)
def test_a_bookmark_that_cannot_be_is_refused(program: Caller, session, wrong, refused):
    assert code(program.post(OF, wrong)) == refused


def test_nobody_has_more_than_so_many_in_a_session(program: Caller, session, monkeypatch):
    monkeypatch.setattr("sessions.services.bookmarks.MOST_IN_A_SESSION", 1)

    made, above = program.post(OF, {"seq": 1}), program.post(OF, {"message": said(session)})

    assert (made.status_code, code(above)) == (201, (400, "VALIDATION_ERROR"))


def test_what_is_shared_is_seen_and_only_its_owner_changes_it(program: Caller, session):
    other = caller()
    private = program.post(OF, {"seq": 1, "name": "mine"}).json()["id"]
    shared = program.post(OF, {"message": said(session), "name": "ours", "is_shared": True}).json()

    seen, read = other.get(OF), other.get(f"{ALL}/{shared['id']}")
    hidden, own = other.get(f"{ALL}/{private}"), other.get(f"{OF}?own=true")
    refused = [
        other.patch(f"{ALL}/{shared['id']}", {"name": "x"}),
        other.delete(read.request["PATH_INFO"]),
    ]

    assert names(seen) == ["ours"]
    assert (read.json()["is_own"], names(own)) == (False, [])
    assert code(hidden) == (404, "BOOKMARK_NOT_FOUND")
    assert [code(one) for one in refused] == [(403, "PERMISSION_DENIED")] * 2


def test_who_reads_keeps_places_and_who_writes_shares_them(session):
    message = said(session)
    reader = caller(["sessions:read", "events:read"])

    kept = reader.post(OF, {"seq": 1})
    shared = reader.post(OF, {"seq": 2, "is_shared": True})
    later = reader.patch(f"{ALL}/{kept.json()['id']}", {"is_shared": True})
    of_message = reader.post(OF, {"message": message})
    of_event = caller(["sessions:read", "messages:read"]).post(OF, {"seq": 1})

    assert kept.status_code == 201
    refused = [code(one) for one in (shared, later, of_message, of_event)]
    assert refused == [(403, "PERMISSION_DENIED")] * 4


def test_what_may_not_be_read_has_no_bookmark_either(program: Caller, session):
    program.post(OF, {"seq": 1, "name": "event", "is_shared": True})
    program.post(OF, {"message": said(session), "name": "message", "is_shared": True})

    assert names(caller(["sessions:read", "events:read"]).get(OF)) == ["event"]
    assert names(caller(["sessions:read", "messages:read"]).get(OF)) == ["message"]
    assert names(caller(["sessions:read"]).get(OF)) == []
    assert code(caller(["events:read"]).get(ALL)) == (403, "PERMISSION_DENIED")


def test_a_session_out_of_sight_has_none(program: Caller):
    factories.team("other")
    hidden = factories.session(key="k", team="other")
    Bookmark.objects.create(session=hidden, seq=1, owner="user:0", is_shared=True, color="#111111")

    answers = [program.get(OF), program.post(OF, {"seq": 1}), program.get(f"{ALL}?session=k")]

    assert [code(one) for one in answers] == [(404, "SESSION_NOT_FOUND")] * 3
    assert names(program.get(ALL)) == []


def test_lists_are_narrowed_and_paged(program: Caller, session):
    factories.session(key="l", team="default")
    program.post(OF, {"seq": 1, "name": "The freeze", "color": "#2196f3"})
    program.post("/api/v1/sessions/l/bookmarks", {"seq": 1, "note": "a freeze, too"})

    first = program.get(f"{ALL}?limit=1&fields=session_key").json()
    second = program.get(f"{ALL}?limit=1&fields=session_key&cursor={first['next']}").json()

    assert (first["data"], second["data"]) == ([{"session_key": "l"}], [{"session_key": "k"}])
    assert second["next"] == ""
    assert names(program.get(f"{ALL}?q=freeze&session=k")) == ["The freeze"]
    assert len(names(program.get(f"{ALL}?q=FREEZE"))) == 2
    assert names(program.get(f"{ALL}?color=%232196F3")) == ["The freeze"]


def test_the_command_line_keeps_bookmarks(session, anywhere):
    made = anywhere("bookmark", "create", "k", "--seq", "1", "--name", "Begin", "--json").document
    identity = made["data"]["id"]
    changed = anywhere("bookmark", "change", identity, "--note", "x", "--shared", "--json").document
    listed = anywhere("bookmark", "list", "--session", "k", "-q")
    dry = anywhere("bookmark", "remove", identity, "--dry-run", "-q")
    removed = anywhere("bookmark", "remove", identity, "--yes", "-q")

    assert (changed["data"]["note"], changed["data"]["is_shared"]) == ("x", True)
    assert listed.out.split() == dry.out.split() == removed.out.split() == [identity]
    assert not Bookmark.objects.exists()
    assert anywhere("bookmark", "change", identity).code == 3
