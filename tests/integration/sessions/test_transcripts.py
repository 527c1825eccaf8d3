"""Conversations narrowed, around one message, and as files."""

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync  # noqa: TID251 -- reads a stream

from sessions.models import Message
from sessions.selectors import transcripts
from sessions.services import conversation
from sessions.services.conversation import Utterance
from tests import factories
from tests.calling import Caller, caller, code
from tests.factories import OPERATOR

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

OF = "/api/v1/sessions/k/messages"
WORDS = ["one", "two", "three", "four", "five"]


@pytest.fixture
def said() -> list[Message]:
    session = factories.session(key="k", name="Counting", team="default")
    drafts = [Utterance(content=word, answers=False) for word in WORDS]
    return [
        conversation.say(principal=OPERATOR, session=session, draft=draft).message
        for draft in drafts
    ]


def contents(answer) -> list[str]:
    return [one["content"] for one in answer.json()["data"]]


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("q=T", ["two", "three"]),
        ("q=t&after=2", ["three"]),
        ("q=o&limit=2", ["two", "four"]),
        ("role=assistant", ["four"]),
        ("role=user&q=i", ["five"]),
        ("has_attachments=true", ["five"]),
        ("has_attachments=false&q=five", []),
        ("has_tool_calls=true", ["four"]),
        ("has_tool_calls=false&limit=1", ["five"]),
        ("since=2099-01-01T00:00:00Z", []),
        ("until=2099-01-01T00:00:00Z&limit=1", ["five"]),
    ],
)
def test_a_list_is_narrowed(program: Caller, said, asked, wanted):
    Message.objects.filter(pk=said[3].pk).update(role="assistant", tool_call_count=1)
    Message.objects.filter(pk=said[4].pk).update(attachment_count=1)

    assert contents(program.get(f"{OF}?{asked}")) == wanted


def test_a_narrowed_list_is_paged(program: Caller, said):
    first = program.get(f"{OF}?q=t&limit=1").json()
    second = program.get(f"{OF}?q=t&limit=1&before_id={first['next_cursor']}").json()

    assert [first["has_more"], second["has_more"]] == [True, False]
    assert [page["data"][0]["content"] for page in (first, second)] == ["three", "two"]


@pytest.mark.parametrize(
    ("around", "wanted", "has_more"),
    [
        ("", WORDS, False),
        ("?before=1&after=1", ["two", "three", "four"], True),
        ("?before=0&after=0", ["three"], True),
        ("?before=2&after=0", ["one", "two", "three"], True),
        ("?before=2&after=2", WORDS, False),
    ],
)
def test_a_message_is_read_with_what_stands_around_it(
    program: Caller, said, around, wanted, has_more
):
    found = program.get(f"{OF}/{said[2].pk}/context{around}")

    assert (contents(found), found.json()["has_more"]) == (wanted, has_more)


def test_what_stands_around_is_of_the_branch_of_the_message(program: Caller, said):
    other = conversation.edit(
        principal=OPERATOR, session=said[3].session, message=str(said[3].pk), content="4"
    ).message

    here = program.get(f"{OF}/{other.pk}/context")
    there = program.get(f"{OF}/{said[3].pk}/context")

    assert (contents(here), contents(there)) == (["one", "two", "three", "4"], WORDS)


def test_what_is_not_there_has_no_context(program: Caller, said):
    absent = f"{OF}/00000000-0000-0000-0000-000000000000/context"

    assert code(program.get(absent)) == (404, "MESSAGE_NOT_FOUND")
    assert code(caller(["sessions:read"]).get(absent)) == (403, "PERMISSION_DENIED")
    assert code(caller(team="other").get(f"{OF}/export")) == (404, "SESSION_NOT_FOUND")
    assert code(program.get(f"{OF}/export?format=pdf")) == (400, "VALIDATION_ERROR")


@pytest.mark.django_db(transaction=True)
def test_a_conversation_is_downloaded_from_end_to_end(program: Caller, said, monkeypatch):
    monkeypatch.setattr(transcripts, "BATCH", 2)
    shown = program.get(OF).json()["data"]

    everything = program.get(f"{OF}/export")
    some = program.get(f"{OF}/export?format=markdown&q=t")

    document = json.loads(text(everything))
    assert (document["schema"], document["messages"]) == ("aegis.conversation/1", shown)
    assert [line for line in text(some).splitlines() if line in WORDS] == ["two", "three"]
    assert some["Content-Type"] == "text/markdown; charset=utf-8"
    assert everything["Content-Disposition"] == 'attachment; filename="k.json"'


def text(answer: Any) -> str:
    async def read() -> str:
        return b"".join([part async for part in answer.streaming_content]).decode()

    return async_to_sync(read)()


def test_the_command_line_writes_a_file(said, aegis, tmp_path, monkeypatch):
    monkeypatch.setattr(transcripts, "BATCH", 2)
    path = tmp_path / "k.txt"

    told = aegis("message", "export", "k", "--format", "text", "-o", str(path))
    printed = aegis("message", "export", "k", "--format", "json").document
    refused = aegis("message", "export", "k", "-o", str(tmp_path))

    text = path.read_text()
    assert text.startswith("Counting\n\n")
    assert [word for word in text.split() if word in WORDS] == WORDS
    assert "5 messages" in told.err
    assert [one["content"] for one in printed["messages"]] == WORDS
    assert printed["session"]["key"] == "k"
    assert refused.code == 2
