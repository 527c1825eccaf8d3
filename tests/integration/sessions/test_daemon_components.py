from datetime import timedelta

import pytest
from django.utils import timezone

from components.services import standing
from components.services.registry import Expected
from sessions.services import creation
from tests import factories
from tests.calling import Caller

pytestmark = [pytest.mark.dialects, pytest.mark.django_db]


def test_components_are_attached_by_name_or_description(program: Caller):
    made = factories.session(expected=[Expected(name="old")])
    feed = {"name": "feed", "role": "feed", "required": False, "topics": ["klines.**"]}
    payload = {"session_id": str(made.pk), "components": ["sink", feed]}

    said = program.command("SESSION_ATTACH", payload)["data"]

    assert [(one["name"], one["state"]) for one in said["attached_components"]] == [
        ("sink", "pending"),
        ("feed", "pending"),
    ]
    assert said["session_token"].startswith("aeg_")
    listed = program.command("COMPONENT_LIST", {"session_id": str(made.pk)})["data"]
    assert set(listed) == {"session_id", "components", "aegis_state", "conditions"}
    assert listed["components"][2] == {
        "id": str(made.components.get(name="feed").pk),
        "name": "feed",
        "role": "feed",
        "required": False,
        "state": "pending",
        "topics": ["klines.**"],
        "last_heartbeat_at": None,
        "aegis_state": "pending",
    }


def test_attaching_nothing_is_refused(program: Caller):
    made = factories.session()

    said = program.command("SESSION_ATTACH", {"session_id": str(made.pk)})

    assert said["message"] == "Attach failed: At least one component is required."


def test_components_have_the_words_of_the_seed(program: Caller):
    made = factories.session()
    factories.registered(made, "registered")
    factories.readied(made, "ready")
    for name in ("lost", "failed"):
        one = factories.readied(made, name)
        standing.lose(component_id=str(one.pk), fence=one.fence, reason="silence")
    made.components.filter(name="failed").update(lost_at=timezone.now() - timedelta(minutes=5))
    creation.attach(principal=factories.OPERATOR, session=made, expected=[Expected(name="pending")])

    said = program.command("SESSION_STATE", {"session_id": str(made.pk)})["data"]["components"]

    assert {one["name"]: (one["state"], one["aegis_state"]) for one in said} == {
        "registered": ("pending", "registered"),
        "ready": ("pending", "ready"),
        "lost": ("running", "lost"),
        "failed": ("failed", "lost"),
        "pending": ("pending", "pending"),
    }


@pytest.mark.parametrize("word", ["COMPONENT_GET", "COMPONENT_DESCRIBE"])
@pytest.mark.parametrize("reference", ["prices", "pri", ""])
def test_a_component_is_told_by_name_or_alone(program: Caller, word: str, reference: str):
    made = factories.session(expected=[Expected(name="prices")])

    said = program.command(word, {"session_id": str(made.pk), "component_id": reference})["data"]

    assert said["session_id"] == str(made.pk)
    assert said["component"]["name"] == "prices"
    assert said["component"]["uptime_seconds"] == 0


@pytest.mark.parametrize("word", ["COMPONENT_GET", "COMPONENT_DESCRIBE"])
def test_a_component_that_is_not_there_is_told_with_its_session(program: Caller, word: str):
    made = factories.session(name="demo")

    said = program.command(word, {"session_id": "demo", "component_id": "none"})

    assert said["message"] == "Component not found in session"
    assert said["data"] == {"session_id": str(made.pk)}


@pytest.mark.parametrize("word", ["COMPONENT_GET", "COMPONENT_DESCRIBE", "HEALTH_CHECK_COMPONENT"])
@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("fe", "multiple components found: feed, feeder"),
        ("", "missing required field: component_id, one of feed, feeder"),
    ],
)
def test_who_of_several_is_meant_is_asked(program: Caller, word: str, reference: str, message: str):
    made = factories.session(expected=[Expected(name="feed"), Expected(name="feeder")])

    said = program.command(word, {"session_id": str(made.pk), "component_id": reference})

    assert said["message"] == message
    assert said["data"] == {"session_id": str(made.pk)}
