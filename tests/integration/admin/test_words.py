"""What happened is told in words."""

import pytest

from aegis_project import marks
from components.core import events as component_events
from sessions.admin import words
from sessions.admin.approval_cells import person
from sessions.admin.work_words import EVENT
from sessions.core import events as session_events
from sessions.models import Session


def test_every_event_of_the_catalogue_has_its_sentence():
    known = {
        *session_events.DESCRIPTIONS,
        *session_events.WORK,
        *component_events.DESCRIPTIONS,
    }

    assert known - set(words.SENTENCES) == set()


def test_a_token_is_told_by_its_name():
    told = words.sentence("credential.issued", {"credential_id": "1", "name": "sink"})

    assert told == (EVENT, "Token issued", "sink")


def test_who_is_asked_has_not_said_it():
    asked = {"agent": "analyst", "role": "user", "preview": "Why?"}

    assert words.sentence("message.created", asked).what == "analyst was asked"
    assert words.sentence("message.created", asked | {"role": "assistant"}).what == "analyst said"
    assert words.sentence("message.created", {"role": "user"}).what == "user said"


def test_a_tool_of_a_component_is_told_by_what_it_does():
    data = {"tool": "component.desk.flatten"}

    assert words.sentence("tool_call.started", data).what == "flatten called"
    assert words.tool("component.desk.flatten") == (
        '<span title="component.desk.flatten">flatten</span> <span class="ae-whose">of desk</span>'
    )
    assert words.tool("orders.<place>") == "orders.&lt;place&gt;"


def test_what_a_trigger_asked_for_is_told_without_its_id():
    by = "trigger:4877230a-874e-4f31-b9dd-ebaed23e3058"

    assert [person(by), person(f"system:{by}"), person("user:ana")] == [
        "a trigger",
        "a trigger",
        "ana",
    ]


def test_a_session_is_called_by_the_key_that_somebody_gave():
    given, unnamed = Session(key="desk", name="Our desk"), Session(name="Our desk")
    unnamed.key = str(unnamed.pk)
    nothing = Session(key=unnamed.key, id=unnamed.pk)

    assert [words.handle(one) for one in (given, unnamed)] == ["desk", "Our desk"]
    assert words.handle(nothing) == unnamed.key[:8]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-0.2, "0 ms"),
        (0.0124, "12 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (106.0, "1:46"),
    ],
)
def test_what_something_took_has_the_digits_that_can_be_read(seconds: float, told: str):
    assert marks.took(seconds) == told


@pytest.mark.parametrize(
    ("cost", "told"),
    [
        ("0.000000", ""),
        ("0.012300", "US$ 0.0123"),
        ("10.000000", "US$ 10"),
        ("10", "US$ 10"),
        ("", ""),
    ],
)
def test_a_run_that_cost_nothing_says_no_cost(cost: str, told: str):
    said = words.sentence("run.completed", {"agent": "analyst", "cost": cost})

    assert said[1:] == ("analyst is done", told)


def test_a_file_says_its_version_when_it_is_not_the_first():
    made = {"name": "report.md", "version": 1, "content_type": "text/markdown"}

    assert words.sentence("artifact.created", made)[1:] == ("report.md made", "text/markdown")
    again = words.sentence("artifact.created", made | {"version": 2})
    assert again.what == "report.md, version 2, made"
