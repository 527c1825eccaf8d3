"""Who decides on what: nothing but what was decided on, nobody but who may, or was left it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.desk import Api, Desk, until
from tests.browser.floor import INBOX, ORDER, card
from tests.serving import Running, manage

PEOPLE = """
from django.contrib.auth.models import Group, Permission, User
for name in ("decider", "other"):
    user = User.objects.create_user(name, password={password!r}, is_staff=True)
    user.groups.add(Group.objects.get(name="default"))
    words = ["view_approval", "decide_approval"]
    user.user_permissions.set(Permission.objects.filter(codename__in=words))
"""
# Sends what a page sent once more, with other arguments.
AGAIN = """async (url) => {
  const body = new FormData();
  for (const [name, value] of window.aegisSent) body.set(name, value);
  body.set("argument-1", "99");
  const headers = { Accept: "application/json" };
  return (await fetch(url, { method: "POST", body, headers })).json();
}"""
KEEP = """() => {
  const send = window.fetch;
  window.fetch = (url, options) => {
    if (options?.body) window.aegisSent = [...options.body];
    return send(url, options);
  };
}"""


def bar(desk: Desk, name: str) -> Any:
    return desk.page.locator(f"#ae-{name}")


@pytest.fixture(scope="module")
def people(served: Running) -> str:
    """Two people whose only right is to decide; their password."""
    script = PEOPLE.format(password=served.password)
    manage(served.environment, "shell", "-v", "0", "-c", script)
    return served.password


@pytest.fixture
def decider(browser: Browser, served: Running, people: str) -> Callable[[], BrowserContext]:
    """Somebody whose only right is to decide, signed in."""

    def sign_in() -> BrowserContext:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.goto(f"{served.url}/admin/login/?next={INBOX}")
        page.fill("#id_username", "decider")
        page.fill("#id_password", people)
        page.click("button[type=submit]")
        page.wait_for_url(f"**{INBOX}")
        return context

    return sign_in


def test_ap5_what_was_approved_is_carried_out_and_nothing_that_is_sent_after_it(desk, floor):
    approval = floor.order()
    desk.open(card(approval)).live()
    desk.page.evaluate(KEEP)
    bar(desk, "approve").click()
    expect(bar(desk, "decided").locator("[data-word=completed]").first).to_be_visible()

    again = desk.page.evaluate(AGAIN, card(approval))

    call = floor.api.get(f"tool-calls/{approval['tool_call']['id']}")
    assert again["error"]["code"] == "APPROVAL_ALREADY_DECIDED"
    assert (call["arguments"], floor.broker.calls) == (ORDER, [ORDER])
    assert floor.api.get(f"approvals/{approval['id']}")["digest"] == approval["digest"]


def test_ap9_approver_whom_the_request_names_is_nobody(desk, floor):
    approval = floor.order()
    desk.open(card(approval)).live()
    desk.page.locator("#ae-decision").evaluate(
        """(form) => ["decided_by", "decider", "user"].forEach((name) => {
          const field = document.createElement("input");
          Object.assign(field, { type: "hidden", name, value: "user:ana" });
          form.append(field);
        })"""
    )

    bar(desk, "approve").click()

    expect(bar(desk, "decided")).to_contain_text("Approved by you")
    assert floor.api.get(f"approvals/{approval['id']}")["decided_by"] == "user:admin"


def test_ap13_who_may_only_decide_sees_card_evidence_and_position_and_nothing_else(
    decider, served, floor
):
    records = f"sessions/{floor.session['id']}/topics/book"
    floor.api.post(records, {"records": [{"data": {"bid": 1}}]})
    approval = floor.order()
    session = f"/admin/aegis_sessions/session/{floor.session['id']}/change/"
    context = decider()
    desk = Desk(context.pages[0], served.url).open(card(approval)).live()

    expect(bar(desk, "situation").get_by_role("row", name="bid")).to_contain_text("1")
    expect(desk.page.get_by_text(f"position {approval['seq']}")).to_be_visible()
    assert desk.page.locator(f"a[href*='{floor.session['id']}']").count() == 0
    statuses = [
        desk.page.request.get(served.url + path, max_redirects=0).status
        for path in (session, "/admin/aegis_sessions/agent/", "/api/v1/sessions")
    ]
    assert all(status >= 302 for status in statuses)
    bar(desk, "approve").click()
    expect(bar(desk, "decided")).to_contain_text("Approved by you")
    context.close()

    assert floor.api.get(f"approvals/{approval['id']}")["decided_by"] == "user:decider"
    assert desk.faults == []


def test_card_is_handed_over_and_shows_with_whom_it_is(desk, floor, people):
    approval = floor.order()
    desk.open(card(approval)).live()

    desk.page.get_by_label("Hand over to").select_option("other")
    desk.page.get_by_role("button", name="Hand over").click()

    expect(bar(desk, "head")).to_contain_text("This is with other.")
    assert floor.api.get(f"approvals/{approval['id']}")["claimed_by"] == "user:other"
    bar(desk, "approve").click()
    expect(bar(desk, "decided")).to_contain_text("Approved by you")
    expect(bar(desk, "hand")).to_have_count(0)


def test_question_of_an_agent_comes_into_the_inbox_and_goes_when_it_is_answered(desk, floor):
    desk.open(INBOX).live()
    wanted = desk.page.get_by_role("heading", name="Answer wanted")

    said = asked(floor.api, floor.session["id"])

    expect(wanted).to_be_visible()
    desk.page.get_by_role("link", name=said).click()
    expect(desk.page).to_have_url(re.compile("tab=conversation"))
    floor.api.post(f"sessions/{floor.session['id']}/messages", {"content": "In the garden."})
    desk.open(INBOX).live()
    until(lambda: not wanted.is_visible())


def asked(api: Api, session: str) -> str:
    """Let an agent ask a person; what it asks."""
    question = "Where are you?"
    tools = [{"tool": "ask_person", "arguments": {"question": question}}]
    script = [{"text": "One moment.", "tools": tools}, {"text": "Thank you."}]
    api.post(f"sessions/{session}/messages", {"content": "Hi.", "parameters": {"script": script}})
    return question
