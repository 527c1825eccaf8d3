from datetime import UTC, datetime, timedelta

import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import conversation
from sessions.core.conversation import Admission, Limits, Role
from sessions.core.errors import InvalidMessage, MessageTooLong

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("content", ["x", " ", "é" * conversation.MAX_CONTENT])
@pytest.mark.parametrize("role", [Role.USER, Role.SYSTEM])
def test_what_may_be_said_passes(content: str, role: Role):
    conversation.check(content, role=role)


@pytest.mark.parametrize(
    ("content", "role", "error"),
    [
        ("", Role.USER, InvalidMessage),
        ("a\x00b", Role.USER, InvalidMessage),
        ("\ud800", Role.USER, InvalidMessage),
        ("x", Role.ASSISTANT, InvalidMessage),
        ("x", Role.TOOL, InvalidMessage),
        ("x" * (conversation.MAX_CONTENT + 1), Role.USER, MessageTooLong),
    ],
)
def test_what_cannot_be_said_is_refused(content: str, role: Role, error: type[Exception]):
    with pytest.raises(error):
        conversation.check(content, role=role)


def test_limits_are_what_the_configuration_says():
    assert conversation.limits({}) == Limits()
    assert conversation.limits({"max_messages": None, "other": 1}) == Limits()
    assert conversation.limits(conversation.OF_CHAT) == Limits(100, 10, 10 * 1024 * 1024, 60)


@pytest.mark.parametrize(
    "config",
    [
        {"max_messages": 9},
        {"max_messages": 100_001},
        {"max_attachments": True},
        {"max_attachment_size": 2048.0},
        {"timeout_minutes": "60"},
    ],
)
def test_limits_outside_their_ranges_are_refused(config: dict[str, object]):
    with pytest.raises(ValidationFailed):
        conversation.limits(config)


def test_expiry_slides_only_where_it_is_said():
    assert conversation.expiry({}, now=NOW) is None
    assert conversation.expiry({"timeout_minutes": 5}, now=NOW) == NOW + timedelta(minutes=5)


def test_messages_queue_unless_the_session_says_otherwise():
    assert conversation.admission({"admission": None}) is Admission.ENQUEUE
    assert conversation.admission({"admission": "reject"}) is Admission.REJECT


@pytest.mark.parametrize("word", ["later", 1, ["reject"]])
def test_admission_is_one_of_its_words(word: object):
    with pytest.raises(ValidationFailed):
        conversation.admission({"admission": word})


def test_title_is_the_beginning_of_a_message_on_one_line():
    assert conversation.title("Hello\n  world") == "Hello world"
    assert conversation.title("x" * 51) == "x" * 50


def test_preview_is_the_beginning_of_a_message_as_it_is():
    assert conversation.preview("a\n" * 150) == "a\n" * 100
