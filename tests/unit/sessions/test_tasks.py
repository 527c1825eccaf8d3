from datetime import UTC, datetime, timedelta, timezone

import pytest

from aegis_project.kit.errors import NotAuthenticated, ValidationFailed
from sessions.core import tasks
from sessions.core.errors import RunNotFound, SessionNotFound

HELLO = {"input": {"type": "text/plain", "content": "Hello"}}


def test_a_task_of_one_line_is_enough():
    found = tasks.request(HELLO)

    assert found.input.text() == "Hello"
    assert (found.task_id, found.context.session_id, found.return_immediately) == ("", "", False)


def test_what_is_null_or_unknown_is_as_if_it_was_not_there():
    context = {"sessionId": "s", "userId": None, "conversationId": "c", "trace": 1}

    found = tasks.request({**HELLO, "taskId": None, "colour": "red", "context": context})

    assert found.context.session_id == "s"
    assert found.context.kept() == {"conversationId": "c"}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Hello", "Hello"),
        ({"text": "Hello", "prompt": "no"}, "Hello"),
        ({"text": 1, "prompt": "Hello"}, "Hello"),
    ],
)
def test_a_text_is_where_the_seed_looks_for_it(content, text):
    assert tasks.TaskInput(content=content).text() == text


def test_an_object_is_told_as_json_where_json_is_meant():
    asked = tasks.TaskInput(type="Application/JSON; charset=utf-8", content={"a": 1})

    assert asked.text() == '{"a":1}'


def test_an_object_without_a_text_is_no_input():
    with pytest.raises(ValidationFailed):
        tasks.TaskInput(content={"a": 1}).text()


@pytest.mark.parametrize(
    "value",
    [None, [], "x", {}, {"input": "Hello"}, {"input": {"content": 1}}, {**HELLO, "taskId": 1}],
)
def test_nonsense_is_no_task(value):
    with pytest.raises(ValidationFailed):
        tasks.request(value)


@pytest.mark.parametrize("after", ["17", 17])
def test_a_frame_with_a_place_is_about_a_task_that_was_begun(after):
    found = tasks.attachment({"taskId": "t", "after": after})

    assert found == tasks.Attachment(task_id="t", after=after)


@pytest.mark.parametrize("value", [HELLO, {"taskId": "t"}, [], None])
def test_other_frames_are_not(value):
    assert tasks.attachment(value) is None


def test_a_place_without_a_task_is_nowhere():
    with pytest.raises(ValidationFailed):
        tasks.attachment({"after": "1"})


@pytest.mark.parametrize(
    ("value", "label"), [({"taskId": "t"}, "t"), ({"taskId": 1}, ""), ({}, ""), (1, "")]
)
def test_a_refused_frame_is_named_as_far_as_it_can_be(value, label):
    assert tasks.label_of(value) == label


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValidationFailed(), "INVALID_INPUT"),
        (RunNotFound(), "TASK_NOT_FOUND"),
        (NotAuthenticated(), "AUTH_REQUIRED"),
        (SessionNotFound(), "SESSION_NOT_FOUND"),
    ],
)
def test_errors_have_the_words_of_the_seed(error, code):
    assert tasks.error(error) == {"code": code, "message": error.message, "details": {}}


def test_a_moment_is_of_whole_seconds_in_utc():
    at = datetime(2025, 10, 5, 22, 0, 1, 999_999, tzinfo=timezone(timedelta(hours=2)))

    assert tasks.moment(at) == "2025-10-05T20:00:01Z"
    assert tasks.moment(datetime(2025, 1, 1, tzinfo=UTC)) == "2025-01-01T00:00:00Z"
