"""The pages of agents: making one, and trying its model."""

from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.test_sweep import faults

AGENTS = "/admin/aegis_sessions/agent/"


@pytest.fixture
def made(desk) -> str:
    """The page of a new agent that repeats what it is told."""
    desk.open(f"{AGENTS}add/")
    slug = f"a-{uuid4().hex[:8]}"
    for name, value in {"slug": slug, "name": slug, "model": "scripted:echo"}.items():
        desk.page.fill(f"[name={name}]", value)
    desk.page.get_by_role("button", name="Make agent").click()
    expect(desk.page.get_by_role("heading", name=slug)).to_be_visible()
    return str(desk.page.url)


def test_a_model_is_tried_by_keyboard_and_answers_in_the_page(desk, made):
    question = desk.page.get_by_label("Question")
    question.fill("one two three")

    question.press("Enter")

    expect(desk.page.get_by_role("log", name="Answer")).to_have_text("one two three")
    expect(desk.page.locator("[data-note]")).to_have_text(
        "scripted:echo · stop · 3 tokens in, 3 out · $0"
    )
    assert desk.page.url == made


def test_a_model_that_fails_says_why_and_may_be_asked_again(desk, made):
    desk.page.fill("[name=model]", "scripted:failing")
    desk.page.get_by_role("button", name="Save agent").click()
    expect(desk.page.locator("[name=model]")).to_have_value("scripted:failing")

    for _ in range(2):
        desk.page.get_by_role("button", name="Test model").click()
        expect(desk.page.locator("[data-note]")).to_have_text("The script fails. (LLM_ERROR)")

    expect(desk.page.get_by_role("log", name="Answer")).to_have_text("This is as ")


def test_axe_finds_nothing_serious_on_the_page_of_an_agent(desk, made):
    desk.page.get_by_role("button", name="Test model").click()
    expect(desk.page.locator("[data-trial]")).to_have_attribute("data-state", "done")

    assert faults(desk) == []
