"""Seed 004: the diagram of its sessions, the fields of its models, the codes that it names."""

import json
from pathlib import Path
from typing import Any

import pytest

from aegis_project import documents
from tests import asking, factories
from tests.calling import Caller, caller

pytestmark = [pytest.mark.database, pytest.mark.django_db]

GOLDEN = Path(__file__).parent / "seed_004"
SESSIONS = "/api/v1/sessions"
# What leads a new session to where the diagram begins.
PATHS = {"created": [], "active": ["activate"], "suspended": ["activate", "suspend"]}


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


@pytest.fixture
def program() -> Caller:
    return caller()


@pytest.mark.parametrize(("before", "verb", "after"), golden("diagram"))
def test_a_session_goes_where_the_diagram_leads(
    program: Caller, before: str, verb: str, after: str
):
    made = program.post(SESSIONS, {"agent": "assistant"}).json()
    for step in PATHS[before]:
        program.post(f"{SESSIONS}/{made['id']}/{step}")

    was = program.get(f"{SESSIONS}/{made['id']}").json()["status"]
    answer = program.post(f"{SESSIONS}/{made['id']}/{verb}")

    assert (was, answer.status_code, answer.json()["status"]) == (before, 200, after)


def test_the_models_have_the_fields_of_the_seed(program: Caller):
    made = program.post(SESSIONS, {"agent": "assistant"}).json()
    said = program.post(f"{SESSIONS}/{made['id']}/messages", {"content": "Hello"}).json()
    call = asking.asked(asking.run(factories.session(agent="trader")))
    found = {
        "Session": made,
        "Message": said,
        "ToolCall": program.get(f"/api/v1/tool-calls/{call.pk}").json(),
    }

    missing = {name: set(fields) - set(found[name]) for name, fields in golden("models").items()}

    assert missing == {"Session": set(), "Message": set(), "ToolCall": set()}


def test_the_codes_have_the_statuses_of_the_seed():
    ours = {kind.code: kind.status for kind in documents.catalogue()}

    assert {code: ours[code] for code in golden("errors")} == golden("errors")


def test_every_shape_of_the_seed_is_compared():
    assert {path.stem for path in GOLDEN.iterdir()} == {"diagram", "models", "errors"}
