from datetime import UTC, timedelta

import pytest
import time_machine
from django.utils import timezone

from aegis_project import database
from aegis_project.kit.errors import InvalidState, PermissionDenied, ValidationFailed
from sessions.core.conversation import Role
from sessions.core.errors import (
    InvalidMessage,
    MessageNotFound,
    SessionExpired,
    SessionNotFound,
)
from sessions.core.lifecycle import Kind, State
from sessions.models import Message, Session
from sessions.selectors import history
from sessions.services import conversation, creation, lifecycle, messages
from sessions.services.conversation import Said, Utterance
from streaming.models import AuditEntry
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db


def say(session: Session, content: str = "Hello", **said) -> Said:
    return conversation.say(
        principal=OPERATOR, session=session, draft=Utterance(content=content, **said)
    )


def appended(session: Session, content: str, **said) -> Message:
    """A message that a run or a tool writes."""
    with database.atomic():
        row = Session.objects.locked(session.pk)
        return messages.append(
            row, **{"role": Role.ASSISTANT, "author": "agent:a", **said}, content=content
        )


def shown(session: Session, **asked) -> list[str]:
    """What a page of a conversation holds."""
    found = history.page(session, limit=50, **asked)
    return [entry.message.content for entry in found.entries]


# Saying


def test_a_message_is_written_told_and_counted():
    session = factories.session(kind=Kind.CHAT)

    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        said = say(session, "x" * 201, metadata={"a": 1})

    message = Message.objects.get()
    assert said.message == message
    assert said.run is None
    assert (message.place, message.role, message.content) == (1, "user", "x" * 201)
    assert (message.author, message.metadata, message.parent) == ("user:operator", {"a": 1}, None)
    session.refresh_from_db()
    assert session.message_count == 1
    assert session.last_activity_at.astimezone(UTC).isoformat() == "2026-01-01T12:00:00+00:00"
    assert factories.told(session)[1] == (
        "message.created",
        {
            "message": str(message.pk),
            "place": 1,
            "role": "user",
            "parent": None,
            "agent": "",
            "run": None,
            "preview": "x" * 200,
            "attachments": 0,
        },
    )
    entry = AuditEntry.objects.get(command="message.create")
    assert (entry.session_id, entry.target) == (session.pk, str(message.pk))
    assert entry.detail == {"place": 1, "role": "user"}


def test_each_message_follows_the_one_before():
    session = factories.session()

    first, second = say(session, "one").message, say(session, "two").message
    answer = appended(session, "three", tokens=7, agent="a")

    assert [first.parent, second.parent, answer.parent] == [None, first, second]
    assert shown(session) == ["one", "two", "three"]
    session.refresh_from_db()
    assert (session.message_count, session.llm_token_count) == (3, 7)


def test_a_chat_is_called_by_its_first_message_of_a_user():
    session = factories.session(kind=Kind.CHAT)

    say(session, "Be brief.", role=Role.SYSTEM)
    say(session, "What is\nthe time?")
    say(session, "And now?")

    session.refresh_from_db()
    assert (session.name, session.version) == ("What is the time?", 2)
    assert factories.events(session).count("session.updated") == 1


@pytest.mark.parametrize("draft", [{"kind": Kind.CHAT, "name": "Mine"}, {"kind": Kind.STREAM}])
def test_what_has_a_name_or_is_no_chat_keeps_it(draft):
    session = factories.session(**draft)

    say(session)

    session.refresh_from_db()
    assert session.name == draft.get("name", "")


@pytest.mark.parametrize("state", [State.CREATED, State.RUNNING, State.PAUSED, State.STOPPED])
def test_an_open_session_takes_messages(state: State):
    session = factories.session_in(state)

    say(session)

    assert shown(session) == ["Hello"]


@pytest.mark.parametrize("state", [State.COMPLETED, State.ENDED])
def test_a_closed_session_takes_none(state: State):
    session = factories.session_in(state)

    with pytest.raises(InvalidState) as caught:
        say(session)

    assert caught.value.details["command"] == "say"
    assert not Message.objects.exists()


def test_who_may_not_write_or_does_not_see_the_session_is_refused():
    session = factories.session()
    reader = factories.member(session.team, scopes=["messages:read"])
    stranger = factories.member(factories.team("others"))

    with pytest.raises(PermissionDenied):
        conversation.say(principal=reader, session=session, draft=Utterance("x"))
    with pytest.raises(SessionNotFound):
        conversation.say(principal=stranger, session=session, draft=Utterance("x"))

    assert not Message.objects.exists()


# Limits


def test_a_full_session_takes_no_more_messages_but_its_answers():
    session = factories.session(config={"max_messages": 10})
    for number in range(10):
        say(session, str(number))

    with pytest.raises(InvalidMessage) as caught:
        say(session, "one more")
    appended(session, "an answer")

    assert caught.value.details == {"most": 10}
    assert len(shown(session)) == 11


def test_limits_that_cannot_be_are_refused_with_the_session():
    with pytest.raises(ValidationFailed):
        factories.session(config={"max_messages": 1})
    session = factories.session()

    with pytest.raises(ValidationFailed):
        creation.update(
            principal=OPERATOR, session=session, changes={"config": {"admission": "never"}}
        )


def test_expiry_slides_with_each_message_and_each_start():
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        session = factories.session(config={"timeout_minutes": 30})
        ends = [session.expires_at]
        clock.shift(timedelta(minutes=20))
        lifecycle.start(principal=OPERATOR, session=session)
        ends.append(Session.objects.get().expires_at)
        clock.shift(timedelta(minutes=20))
        say(session)
        ends.append(Session.objects.get().expires_at)

    assert [end.strftime("%H:%M") for end in ends if end] == ["12:30", "12:50", "13:10"]


def test_a_session_whose_time_is_over_takes_no_messages():
    session = factories.session(expires_at=timezone.now() - timedelta(seconds=1))

    with pytest.raises(SessionExpired):
        say(session)


def test_an_expiry_that_was_given_stays_where_nothing_slides():
    end = timezone.now() + timedelta(hours=1)
    session = factories.session(expires_at=end)

    say(session)

    session.refresh_from_db()
    assert session.expires_at == end


# Branches


def test_a_message_behind_an_earlier_one_begins_a_branch():
    session = factories.session()
    first, old = say(session, "one").message, say(session, "two").message
    say(session, "three")

    new = say(session, "deux", parent=first.pk).message

    assert shown(session) == ["one", "deux"]
    assert shown(session, branch=old.pk) == ["one", "two", "three"]
    assert history.siblings(new) == [old, new]
    counts = [entry.branch_count for entry in history.page(session, limit=5).entries]
    assert counts == [1, 2]


def test_a_branch_is_chosen_and_goes_on():
    session = factories.session()
    first, old = say(session, "one").message, say(session, "two").message
    last = say(session, "three").message
    say(session, "deux", parent=first.pk)

    conversation.choose(principal=OPERATOR, session=session, message=old.pk)
    more = say(session, "four").message

    assert shown(session) == ["one", "two", "three", "four"]
    assert more.parent == last
    assert factories.told(session)[-2] == (
        "message.updated",
        {"message": str(old.pk), "fields": ["is_chosen"]},
    )


def test_choosing_the_chosen_branch_tells_nothing():
    session = factories.session()
    message = say(session).message
    before = factories.events(session)

    conversation.choose(principal=OPERATOR, session=session, message=message.pk)

    assert factories.events(session) == before


def test_a_message_behind_one_of_another_branch_brings_that_branch_back():
    session = factories.session()
    first, old = say(session, "one").message, say(session, "two").message
    say(session, "three")
    say(session, "deux", parent=first.pk)

    say(session, "drei", parent=old.pk)

    assert shown(session) == ["one", "two", "drei"]


def test_a_parent_of_another_session_is_not_there():
    elsewhere = say(factories.session()).message
    session = factories.session()

    with pytest.raises(MessageNotFound):
        say(session, parent=elsewhere.pk)


def test_a_message_that_is_taken_back_leaves_what_follows():
    session = factories.session()
    say(session, "one")
    gone = say(session, "two").message
    say(session, "three")

    with database.atomic():
        messages.take_back(Session.objects.locked(session.pk), gone)

    assert shown(session) == ["one", "three"]
    assert list(Message.objects.values_list("parent__content", flat=True).order_by("place")) == [
        None,
        "one",
        "one",
    ]


# Pages


def test_pages_meet_without_a_gap_from_either_end():
    session = factories.session()
    for number in range(1, 6):
        say(session, str(number))

    newest = history.page(session, limit=2)
    older = history.page(session, limit=2, before=newest.entries[0].message.place)
    oldest = history.page(session, limit=2, before=older.entries[0].message.place)
    onward = history.page(session, limit=2, after=oldest.entries[-1].message.place)

    found = [newest, older, oldest, onward]
    assert [[one.message.content for one in page.entries] for page in found] == [
        ["4", "5"],
        ["2", "3"],
        ["1"],
        ["2", "3"],
    ]
    assert [page.has_more for page in found] == [True, True, False, True]


@pytest.mark.parametrize("reference", ["none", "00000000-0000-0000-0000-000000000000", "\x00"])
def test_a_message_that_is_not_there_is_not_found(reference: str):
    session = factories.session()

    with pytest.raises(MessageNotFound):
        history.find(session.pk, reference)
