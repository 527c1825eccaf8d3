from typing import Any

import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import agent_sessions
from sessions.core.agent_sessions import StateMissing, Wanted
from sessions.core.lifecycle import Kind

SESSION = {"sessionType": "audit", "sessionId": "audit-1"}


def test_a_session_of_two_words_is_enough():
    assert agent_sessions.wanted(SESSION) == Wanted(Kind.AUDIT, "audit-1", {}, {})


def test_a_context_is_kept_as_it_was_sent():
    settings = {"maxSteps": 10, "duration": "1h", "interval": "5s"}
    context = {"agents": ["A"], "colour": "red", "additionalSettings": settings}

    found = agent_sessions.wanted({**SESSION, "context": context, "trace": 1})

    assert found.context == context
    assert found.limits == {"max_steps": 10, "max_seconds": 3600}


def test_a_setting_that_is_null_sets_no_limit():
    settings = {"maxSteps": None, "duration": None}

    found = agent_sessions.wanted({**SESSION, "context": {"additionalSettings": settings}})

    assert (found.context, found.limits) == ({"additionalSettings": settings}, {})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], ""),
        ({}, "sessionType"),
        ({"sessionType": "audit"}, "sessionId"),
        ({**SESSION, "sessionType": "chat"}, "sessionType"),
        ({**SESSION, "sessionId": ""}, "sessionId"),
        ({**SESSION, "sessionId": 7}, "sessionId"),
        ({**SESSION, "sessionId": "two words"}, "sessionId"),
        ({**SESSION, "sessionId": "stats"}, "sessionId"),
        ({**SESSION, "context": []}, "context"),
        ({**SESSION, "context": None}, "context"),
        ({**SESSION, "context": {"policy": None}}, "context.policy"),
        ({**SESSION, "context": {"agents": "A"}}, "context.agents"),
        ({**SESSION, "context": {"agents": [1]}}, "context.agents[0]"),
        ({**SESSION, "context": {"policy": "/etc/passwd"}}, "context.policy"),
        ({**SESSION, "context": {"dataSource": "a\nb"}}, "context.dataSource"),
        (
            {**SESSION, "context": {"additionalSettings": {"maxSteps": "10"}}},
            "context.additionalSettings.maxSteps",
        ),
        (
            {**SESSION, "context": {"additionalSettings": {"duration": -1}}},
            "context.additionalSettings.duration",
        ),
    ],
)
def test_what_cannot_be_is_named(body: Any, field: str):
    with pytest.raises(ValidationFailed) as refused:
        agent_sessions.wanted(body)

    assert refused.value.details.get("fields", []) == ([field] if field else [])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h", 3600),
        ("5m30s", 330),
        ("1d12h", 129_600),
        (" 2H ", 7200),
        ("1.5h", 5400),
        ("1500ms", 2),
        ("0s", 0),
        (90, 90),
        (0.2, 1),
    ],
)
def test_a_duration_is_read_in_seconds(text: Any, seconds: int):
    assert agent_sessions.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "1", "1h5", "h", "-1h", "1x", True, None, [], "٣h"])
def test_what_is_no_duration_is_refused(text: Any):
    with pytest.raises(ValidationFailed):
        agent_sessions.seconds(text)


def test_a_change_is_read_whatever_its_letters():
    found = agent_sessions.changed({"state": "Completed", "result": {"a": 1}, "error": None})

    assert (found.state, found.result, found.error) == ("completed", {"a": 1}, None)


@pytest.mark.parametrize("body", [{}, {"state": None}, {"state": ""}, [], None])
def test_a_change_needs_a_state(body: Any):
    with pytest.raises(StateMissing) as refused:
        agent_sessions.changed(body)

    assert refused.value.message == "State is required"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": "ended"}, "state"),
        ({"state": 1}, "state"),
        ({"state": "completed", "result": []}, "result"),
        ({"state": "running", "result": {}}, "result"),
        ({"state": "completed", "error": "x"}, "error"),
        ({"state": "failed", "error": "x" * 2001}, "error"),
    ],
)
def test_a_change_that_cannot_be_is_named(body: Any, field: str):
    with pytest.raises(ValidationFailed) as refused:
        agent_sessions.changed(body)

    assert refused.value.details == {"fields": [field]}
