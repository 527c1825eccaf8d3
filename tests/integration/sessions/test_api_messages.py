import pytest

from sessions.core.lifecycle import State
from sessions.models import Message, Session
from tests import factories
from tests.calling import Caller, caller, code

pytestmark = pytest.mark.django_db

SESSIONS = "/api/v1/sessions"
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def messages() -> str:
    """The address of the messages of a session without an agent."""
    return f"{SESSIONS}/{factories.session(key='k').key}/messages"


def said(program: Caller, messages: str, *contents: str) -> list[str]:
    """The ids of messages that were said one after the other."""
    return [program.post(messages, {"content": one}).json()["id"] for one in contents]


def contents(response) -> list[str]:
    return [one["content"] for one in response.json()["data"]]


# Saying


def test_a_message_is_answered_as_both_interfaces_show_it(program: Caller, messages: str):
    response = program.post(messages, {"content": "Hello", "metadata": {"a": 1}})

    document = response.json()
    session = Session.objects.get()
    assert response.status_code == 201
    assert response["Location"] == f"{SESSIONS}/{session.pk}/messages/{document['id']}"
    written = {name: document.pop(name) for name in ("id", "created_at", "updated_at")}
    assert written["id"] == str(Message.objects.get().pk)
    assert document == {
        "session_id": str(session.pk),
        "place": 1,
        "role": "user",
        "content": "Hello",
        "parent_id": None,
        "is_chosen": True,
        "branch_count": 1,
        "agent": "",
        "run_id": None,
        "author": "credential:default",
        "token_count": 0,
        "attachments": [],
        "tool_calls": [],
        "metadata": {"a": 1},
        "answer_run_id": None,
    }


def test_the_same_key_says_it_once(program: Caller, messages: str):
    first, second = (
        program.post(messages, {"content": "Hello"}, idempotency_key="one") for _ in range(2)
    )

    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({}, (400, "VALIDATION_ERROR")),
        ({"content": ""}, (400, "INVALID_MESSAGE")),
        ({"content": "x" * 100_001}, (413, "MESSAGE_TOO_LONG")),
        ({"content": "a\x00"}, (400, "VALIDATION_ERROR")),
        ({"content": 1}, (400, "VALIDATION_ERROR")),
        ({"content": "x", "role": "assistant"}, (400, "VALIDATION_ERROR")),
        ({"content": "x", "parent_id": NOBODY}, (404, "MESSAGE_NOT_FOUND")),
        ({"content": "x", "parent_id": "none"}, (400, "VALIDATION_ERROR")),
        ({"content": "x", "metadata": {"a": 1e300}}, (400, "VALIDATION_ERROR")),
        ({"content": "x", "admission": "never"}, (400, "VALIDATION_ERROR")),
        ({"content": "x", "colour": "red"}, (400, "VALIDATION_ERROR")),
        ([], (400, "VALIDATION_ERROR")),
        (b"{", (400, "VALIDATION_ERROR")),
    ],
)
def test_what_cannot_be_said_is_refused(program: Caller, messages: str, body, answer):
    assert code(program.post(messages, body)) == answer
    assert not Message.objects.exists()


def test_a_closed_session_refuses_with_its_state(program: Caller):
    session = factories.session_in(State.ENDED)

    response = program.post(f"{SESSIONS}/{session.pk}/messages", {"content": "x"})

    assert code(response) == (400, "INVALID_STATE")
    assert response.json()["error"]["details"] == {
        "from": "ended",
        "command": "say",
        "allowed": ["end"],
    }


def test_a_chat_of_seed_004_has_its_limits(program: Caller):
    made = program.post(SESSIONS, {"agent": "assistant"}).json()
    own = program.post(SESSIONS, {"agent": "assistant", "config": {"max_messages": 20}}).json()
    other = program.post(SESSIONS, {"agent": "assistant", "kind": "chat"}).json()

    limits = {
        "max_messages": 100,
        "max_attachments": 10,
        "max_attachment_size": 10_485_760,
        "timeout_minutes": 60,
    }
    assert (made["kind"], made["config"]) == ("chat", limits)
    assert made["expires_at"] > made["created_at"]
    assert own["config"] == {**limits, "max_messages": 20}
    assert (other["config"], other["expires_at"]) == ({}, None)


@pytest.mark.parametrize(("scopes", "team"), [(["messages:read"], "default"), ([], "default")])
def test_who_may_not_write_is_refused(messages: str, scopes: list[str], team: str):
    found = caller(scopes, team=team).post(messages, {"content": "x"})

    assert code(found) == (403, "PERMISSION_DENIED")


def test_who_may_not_read_or_is_elsewhere_reads_nothing(program: Caller, messages: str):
    [one] = said(program, messages, "secret")

    for address in (messages, f"{messages}/{one}", f"{messages}/{one}/branches"):
        assert code(caller(["messages:write"]).get(address)) == (403, "PERMISSION_DENIED")
        assert code(caller(team="strangers").get(address)) == (404, "SESSION_NOT_FOUND")
        assert code(Caller().get(address)) == (401, "NOT_AUTHENTICATED")


# Reading


def test_pages_are_followed_by_their_cursor_in_both_directions(program: Caller, messages: str):
    ids = said(program, messages, "1", "2", "3", "4", "5")

    newest = program.get(f"{messages}?limit=2")
    older = program.get(f"{messages}?limit=2&before_id={newest.json()['next_cursor']}")
    first = program.get(f"{messages}?limit=2&before_id={older.json()['next_cursor']}")
    behind = program.get(f"{messages}?limit=2&after=1")
    rest = program.get(f"{messages}?limit=2&after_id={behind.json()['next_cursor']}")

    assert [contents(page) for page in (newest, older, first)] == [["4", "5"], ["2", "3"], ["1"]]
    assert [page.json()["next_cursor"] for page in (newest, older, first)] == [ids[3], ids[1], None]
    assert [contents(page) for page in (behind, rest)] == [["2", "3"], ["4", "5"]]
    assert [page.json()["has_more"] for page in (behind, rest)] == [True, False]
    assert contents(program.get(f"{messages}?before=2")) == ["1"]
    assert contents(program.get(f"{messages}?before=0")) == []


def test_some_fields_are_picked(program: Caller, messages: str):
    [one] = said(program, messages, "1")

    assert program.get(f"{messages}?fields=content").json()["data"] == [{"content": "1"}]
    assert program.get(f"{messages}/{one}?fields=place,role").json() == {"place": 1, "role": "user"}


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("before=-1", (400, "VALIDATION_ERROR")),
        ("before=2147483648", (400, "VALIDATION_ERROR")),
        ("before=x", (400, "VALIDATION_ERROR")),
        ("before=1&after=2", (400, "VALIDATION_ERROR")),
        ("before_id=x", (400, "VALIDATION_ERROR")),
        (f"before_id={NOBODY}", (404, "MESSAGE_NOT_FOUND")),
        (f"branch={NOBODY}", (404, "MESSAGE_NOT_FOUND")),
        ("limit=0", (400, "VALIDATION_ERROR")),
        ("fields=colour", (400, "VALIDATION_ERROR")),
        ("colour=red", (400, "VALIDATION_ERROR")),
    ],
)
def test_a_page_that_cannot_be_is_refused(program: Caller, messages: str, query: str, answer):
    assert code(program.get(f"{messages}?{query}")) == answer


@pytest.mark.parametrize("reference", ["none", NOBODY, "%00"])
@pytest.mark.parametrize("verb", ["", "/branches"])
def test_a_message_that_is_not_there_is_404(
    program: Caller, messages: str, reference: str, verb: str
):
    assert program.get(f"{messages}/{reference}{verb}").status_code == 404


# Branches


def test_an_edit_begins_a_branch_and_the_old_one_can_be_chosen_again(
    program: Caller, messages: str
):
    ids = said(program, messages, "one", "two", "three")

    edited = program.post(f"{messages}/{ids[1]}/edit", {"content": "deux"}).json()
    branches = program.get(f"{messages}/{edited['id']}/branches")
    after_edit = contents(program.get(messages))
    aside = contents(program.get(f"{messages}?branch={ids[1]}"))
    chosen = program.post(f"{messages}/{ids[1]}/choose")

    assert (edited["parent_id"], edited["place"], edited["branch_count"]) == (ids[0], 4, 2)
    assert contents(branches) == ["two", "deux"]
    assert after_edit == ["one", "deux"]
    assert aside == ["one", "two", "three"]
    assert (chosen.status_code, chosen.json()["is_chosen"]) == (200, True)
    assert contents(program.get(messages)) == ["one", "two", "three"]


def test_the_first_message_can_be_said_differently(program: Caller, messages: str):
    [first, _] = said(program, messages, "one", "two")

    edited = program.post(f"{messages}/{first}/edit", {"content": "eins"}).json()

    assert (edited["parent_id"], edited["branch_count"]) == (None, 2)
    assert contents(program.get(messages)) == ["eins"]


@pytest.mark.parametrize(
    ("reference", "body", "answer"),
    [
        (NOBODY, {"content": "x"}, (404, "MESSAGE_NOT_FOUND")),
        ("note", {"content": "x"}, (400, "INVALID_MESSAGE")),
        ("user", {"content": ""}, (400, "INVALID_MESSAGE")),
        ("user", {"content": "x", "role": "user"}, (400, "VALIDATION_ERROR")),
    ],
)
def test_an_edit_that_cannot_be_is_refused(
    program: Caller, messages: str, reference: str, body, answer
):
    ids = {
        "user": said(program, messages, "one")[0],
        "note": program.post(messages, {"content": "n", "role": "system"}).json()["id"],
    }

    assert code(program.post(f"{messages}/{ids.get(reference, reference)}/edit", body)) == answer
    assert contents(program.get(messages)) == ["one", "n"]
