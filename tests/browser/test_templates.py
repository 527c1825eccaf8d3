"""Templates: the wizard, errors at their fields, and runs on paper."""

from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.desk import LIST
from tests.browser.test_sweep import faults

TEMPLATES = "/admin/aegis_sessions/preset/"


@pytest.fixture
def template(api) -> dict[str, Any]:
    """A template of team default whose agent is not there."""
    slug = f"t-{uuid4().hex[:8]}"
    recipe = {
        "agent": f"gone-{slug}",
        "context": {"symbol": "BTC"},
        "components": [{"name": "prices", "role": "feed"}],
    }
    return dict(api.post("templates", {"slug": slug, "recipe": recipe, "team": "default"}))


def page_of(desk, template: dict[str, Any]) -> None:
    desk.open(f"{TEMPLATES}?q={template['slug']}")
    desk.page.get_by_role("link", name=template["slug"]).first.click()
    expect(desk.page.get_by_role("heading", name=template["name"])).to_be_visible()


def test_te1_each_template_of_the_system_yields_a_session_that_runs(api):
    slugs = [one["slug"] for one in api.get("templates?limit=200")["data"] if one["is_system"]]

    states = {}
    for slug in slugs:
        made = api.post(f"templates/{slug}/apply", {"key": f"{slug}-{uuid4().hex[:8]}"})
        states[slug] = api.post(f"sessions/{made['id']}/start")["state"]

    assert len(states) >= 9
    assert set(states.values()) == {"running"}


def test_te3_what_differs_is_shown_and_the_session_stays_as_it_is(desk, api, template):
    made = api.post(f"templates/{template['slug']}/apply", {"key": f"k-{template['slug']}"})
    recipe = {"context": {"symbol": "ETH"}}
    api.call("PATCH", f"templates/{template['slug']}", {"recipe": recipe})

    desk.session(made, "?tab=config")
    desk.page.get_by_role("link", name="what differs").click()

    expect(desk.page.get_by_role("row", name="/context/symbol")).to_contain_text("BTC ETH")
    assert api.get(f"sessions/{made['id']}")["context"] == {"symbol": "BTC"}


def test_te4_wizard_survives_back_and_reload_by_keyboard_on_a_small_screen(desk, api):
    key = f"k-{uuid4().hex[:8]}"
    desk.page.set_viewport_size({"width": 320, "height": 640})
    page_of(desk, {"slug": "brainstorm", "name": "Brainstorm"})
    desk.page.get_by_role("link", name="New session from it").click()
    desk.page.fill("[name=key]", key)
    desk.page.fill("[name=context]", '{"depth": 5}')

    desk.page.locator("[name=key]").press("Enter")
    expect(desk.page.locator("[aria-current=step]")).to_contain_text("Who takes part")
    desk.page.reload()
    expect(desk.page.locator("[name=agent]")).to_have_value("assistant")
    desk.page.get_by_role("button", name="Next: Gates").press("Enter")
    desk.page.locator("[name=policy]").select_option("manual")
    desk.page.get_by_role("button", name="Back").press("Enter")
    desk.page.get_by_role("button", name="Back").press("Enter")
    expect(desk.page.locator("[name=key]")).to_have_value(key)
    for name in ("Who takes part", "Gates", "Look it over"):
        desk.page.get_by_role("button", name=f"Next: {name}").press("Enter")
    expect(desk.page.locator("#wizard-line")).to_contain_text(f"--key {key}")
    desk.page.go_back()
    expect(desk.page.locator("[name=policy]")).to_have_value("manual")
    desk.page.go_forward()
    assert faults(desk) == []
    desk.page.get_by_role("button", name="Make session").press("Enter")
    desk.page.wait_for_url(f"**{LIST}*/change/")

    made = api.get(f"sessions/{key}")
    assert (made["context"], made["config"]["policy"]) == ({"depth": 5}, "manual")


def test_te5_errors_are_tied_to_their_fields(desk, template):
    page_of(desk, template)
    desk.page.get_by_role("link", name="New session from it").click()
    desk.page.fill("[name=context]", "[1]")
    desk.page.get_by_role("button", name="Next: Who takes part").click()

    field = desk.page.locator("[name=context]")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(
        "Members to add to those of the template, as a JSON object. This must be a JSON object."
    )
    field.fill("")
    desk.page.get_by_role("button", name="Next: Who takes part").click()
    expect(
        desk.page.get_by_text(f"The agent gone-{template['slug']} is not there.")
    ).to_be_visible()
    desk.page.get_by_role("button", name="Next: Gates").click()

    expect(desk.page.locator("[name=agent]")).to_have_attribute("aria-invalid", "true")
    assert faults(desk) == []


def test_a_missing_agent_is_mended_and_a_test_run_begins(desk, template):
    page_of(desk, template)
    assert faults(desk) == []

    desk.page.get_by_label("Or let another agent answer").select_option("assistant")
    desk.page.get_by_role("button", name="Use it").click()
    expect(desk.page.get_by_text("is not there.")).to_have_count(0)
    desk.page.get_by_role("button", name="Test run on paper").click()

    desk.page.wait_for_url(f"**{LIST}*/change/")
    expect(desk.page.get_by_role("heading", name="Test run of")).to_be_visible()
    expect(desk.page.get_by_text("Test run, effects stub.")).to_be_visible()


def test_n_makes_a_session_from_anywhere_unless_the_page_means_something_else(desk, api):
    session = api.session()
    desk.open("/admin/health/")
    desk.page.wait_for_load_state("networkidle")
    desk.page.keyboard.press("n")
    desk.page.wait_for_url(f"**{LIST}add/")
    desk.page.get_by_role("link", name="Begin with a template").click()
    desk.page.wait_for_url(f"**{TEMPLATES}")

    desk.open(f"{LIST}{session['id']}/review/")
    desk.page.wait_for_load_state("networkidle")
    desk.page.keyboard.press("n")
    desk.page.keyboard.press("?")
    expect(desk.page.locator("#ae-shell-keys")).to_be_visible()
    assert desk.page.url.split("?")[0].endswith("/review/")
