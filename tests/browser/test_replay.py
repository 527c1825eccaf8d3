"""Sending a recording again from its page."""

import hashlib
import json
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.desk import DEADLINE_SECONDS, LIST, Api, Scripted, until

TOPICS = ("orders", "prices")
BEGIN_MS = 1_760_000_000_000
APART_MS = 400


@pytest.fixture(scope="module")
def taped(served):
    """A session whose two topics lie on tape, with a sink that had them."""
    api = Api(served.url, served.token)
    rules = [{"pattern": "**", "recorded": True}]
    session = api.session(config={"topics": rules}, components=[{"name": "sink"}])
    for number in range(12):
        body = {"n": number, "price": "1.10", "size": 7 + number}
        record = {"ts": BEGIN_MS + APART_MS * number, "data": body}
        api.post(f"sessions/{session['id']}/topics/{TOPICS[number % 2]}", {"records": [record]})
    return session


def digest(records: list[tuple[str, int, Any]]) -> str:
    """Of records in their order: topic, time and data."""
    return hashlib.sha256(json.dumps(records).encode()).hexdigest()


def on_tape(api: Api, session: dict[str, Any]) -> list[tuple[str, int, Any]]:
    pages = {name: api.get(f"sessions/{session['id']}/topics/{name}") for name in TOPICS}
    found = [(name, one["ts"], one["data"]) for name in TOPICS for one in pages[name]["data"]]
    return sorted(found, key=lambda one: one[1])


def delivered(sink: Scripted) -> list[tuple[str, int, Any]]:
    """The records that come until each topic has ended."""
    found: list[tuple[str, int, Any]] = []
    ended: set[str] = set()
    while ended != set(TOPICS):
        frame = json.loads(sink.data.recv(timeout=DEADLINE_SECONDS))
        if frame.get("COMMAND") == "END":
            ended.add(frame["topic"])
        elif "seq" in frame:
            found.append((frame["topic"], frame["ts"], frame["data"]))
    return found


def test_re2_redrive_at_ten_times_delivers_the_tape_and_says_how_fast(desk, api, served, taped):
    tape = on_tape(api, taped)
    assert len(tape) == 12
    desk.session(taped)
    desk.page.get_by_role("link", name="Re-drive…").click()
    desk.page.get_by_label("Speed").select_option("10")
    desk.page.get_by_role("button", name="Make the re-drive").click()
    desk.live()
    expect(desk.page.locator("#ae-pace-wanted")).to_have_text("10×")
    made = {"id": desk.page.locator("#ae-session").get_attribute("data-session")}

    sink = Scripted(served.ws_url, api.token_of(made), "sink", *TOPICS).register()
    sink.hello().subscribe().ready()
    desk.page.locator("#ae-lever [data-verb=start]").click()

    assert digest(delivered(sink)) == digest(tape)
    until(lambda: api.get(f"sessions/{made['id']}")["state"] == "completed")
    expect(desk.page.locator("#ae-pace-achieved")).to_have_text(re.compile(r"^[\d.]+×$"))
    expect(desk.page.locator("#ae-pace-n")).to_have_text("12")
    assert api.get(f"sessions/{made['id']}/clock")["achieved"] > 0
    sink.close()


def test_what_is_looped_in_a_review_is_what_a_redrive_is_offered_of(desk, api, taped):
    api.post(f"sessions/{taped['id']}/start")
    desk.open(f"{LIST}{taped['id']}/review/")
    expect(desk.page.locator("#ae-instant")).to_contain_text("At this instant")
    begin = desk.page.locator("#ae-slider").input_value()
    desk.page.keyboard.press("[")
    desk.page.keyboard.press(".")
    desk.page.keyboard.press("]")
    end = desk.page.locator("#ae-slider").input_value()

    desk.page.get_by_role("link", name="Re-drive…").click()

    expect(desk.page.locator("#ae-redrive-from")).to_have_value(begin)
    expect(desk.page.locator("#ae-redrive-to")).to_have_value(end)
