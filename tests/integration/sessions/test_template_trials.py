"""Test runs of templates: sessions on paper."""

import pytest
from django.core.management import call_command

from components.models import Component
from sessions.core import presets as system
from sessions.models import Message, Preset, Session
from sessions.selectors import effects
from sessions.services import presets, trying
from sessions.services.presets import About
from tests import factories
from tests.calling import Caller, code
from tests.factories import OPERATOR
from tests.integration.sessions import tools_help, working_help

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

TEMPLATES = "/api/v1/templates"
RECIPE = {
    "kind": "stream",
    "environment": "production",
    "name": "Prices",
    "components": [{"name": "prices", "role": "feed", "program": "feeder"}],
    "messages": [{"content": "Be brief."}],
    "tags": ["work"],
    "config": {"policy": "manual"},
}


@pytest.fixture
def desk() -> Preset:
    about = About("desk", "Desk", team=factories.team("default"))
    return presets.create(principal=OPERATOR, about=about, recipe=RECIPE).preset


def test_test_run_waits_for_nobody_starts_nothing_and_ends_by_itself(desk, program: Caller):
    made = program.post(f"{TEMPLATES}/desk/test", {})

    row = Session.objects.get(pk=made.json()["id"])
    part = Component.objects.get(session=row)
    assert (made.status_code, made["Location"]) == (201, f"/api/v1/sessions/{row.pk}")
    assert (row.state, row.environment, row.name) == ("running", "test", "Test run of Prices")
    assert (row.template, row.template_version, row.tags) == ("desk", 1, ["test-run"])
    assert (part.name, part.required, part.program) == ("prices", False, None)
    assert Message.objects.get(session=row).content == "Be brief."
    assert row.expires_at is not None
    assert row.expires_at - row.created_at <= trying.LASTS
    assert Preset.objects.get(pk=desk.pk).use_count == 0


def test_tools_of_a_test_run_reach_nothing_beyond_it(desk):
    row = trying.on_paper(principal=OPERATOR, template="desk").session
    run = working_help.admitted(row)

    within = tools_help.approved(run, "memory_set", source="builtin")
    beyond = tools_help.approved(run, "http_get", source="builtin")

    told = effects.answer(beyond)
    assert effects.answer(within) is None
    assert told is not None
    assert told.result == {
        "stub": True,
        "tool": "http_get",
        "message": "Not carried out in this test run: effects are stubs.",
    }


def test_version_is_tried_that_was_named(desk, program: Caller):
    presets.change(
        principal=OPERATOR, template="desk", changes={}, recipe={**RECIPE, "name": "Other"}
    )

    old = program.post(f"{TEMPLATES}/desk/test", {"version": 1}).json()
    new = program.post(f"{TEMPLATES}/desk/test", {}).json()

    assert (old["name"], new["name"]) == ("Test run of Prices", "Test run of Other")
    assert code(program.post(f"{TEMPLATES}/desk/test", {"version": 9})) == (
        404,
        "TEMPLATE_NOT_FOUND",
    )


@pytest.mark.parametrize("slug", [one.slug for one in system.SYSTEM])
def test_each_of_the_system_can_be_tried_at_the_command_line(slug: str, capsys):
    factories.team("default")

    call_command("aegis", "template", "test", slug, "-q")

    row = Session.objects.get(pk=capsys.readouterr().out.strip())
    assert (row.state, row.template, row.environment) == ("running", slug, "test")
