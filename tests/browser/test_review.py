"""Reviewing a session: by keyboard, and with nothing that runs."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.desk import LIST, Api

PLAY_AND_HOLD = """slider => {
  const space = () => slider.dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true }));
  space();
  const began = [slider.value, document.getElementById("ae-play-word").textContent];
  space();
  return began;
}"""


@pytest.fixture(scope="module")
def past(served):
    """A session that ran twice and failed."""
    api = Api(served.url, served.token)
    session = api.session()
    for verb in ("start", "pause", "start"):
        api.post(f"sessions/{session['id']}/{verb}")
    error = {"error": {"code": "X", "message": "The book froze."}}
    api.post(f"sessions/{session['id']}/fail", error)
    return session


@pytest.fixture
def review(desk, past):
    desk.open(f"{LIST}{past['id']}/review/")
    expect(desk.page.locator("#ae-instant")).to_contain_text("At this instant")
    return desk.page


def events(api, past):
    return [one["seq"] for one in api.get(f"sessions/{past['id']}/events")["data"]]


def test_re1_review_moves_nothing_and_shows_how_it_stood(review, api, past):
    before, session = events(api, past), api.get(f"sessions/{past['id']}")
    asked: list[str] = []
    review.on("request", lambda request: asked.append(request.method))

    expect(review.locator("#ae-instant .ae-chip")).to_have_attribute("data-word", "created")
    review.keyboard.press(".")
    expect(review.locator("#ae-instant .ae-chip")).to_have_attribute("data-word", "running")
    review.locator("#ae-speed").select_option("100")
    review.locator("#ae-play").click()
    expect(review.locator("#ae-review-word")).to_have_text("Ended")

    expect(review.locator("#ae-instant .ae-chip")).to_have_attribute("data-word", "failed")
    assert set(asked) == {"GET"}
    assert events(api, past) == before
    assert api.get(f"sessions/{past['id']}") == session


def test_re4_seek_step_loop_and_speed_by_keyboard(review):
    slider = review.locator("#ae-slider")
    first = slider.input_value()

    review.keyboard.press(".")
    expect(slider).to_have_attribute(
        "aria-valuetext", re.compile(r"\d\d:\d\d:\d\d, position 2, Session runs$")
    )
    begin = int(slider.input_value())
    review.keyboard.press("[")
    review.keyboard.press(".")
    end = int(slider.input_value())
    review.keyboard.press("]")
    expect(review.locator("#ae-loop")).to_have_attribute("aria-pressed", "true")
    expect(review.locator(".ae-lane-loop")).to_have_count(1)
    review.keyboard.press("Space")
    # A second of it is more than there was, so it came round.
    expect(review.locator("#ae-achieved")).to_contain_text("×")
    expect(review.locator("#ae-review-word")).to_have_text("Playing")
    assert begin <= int(slider.input_value()) <= end
    review.keyboard.press("Space")
    expect(review.locator("#ae-review-word")).to_have_text("Held")
    review.keyboard.press("n")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("The book froze|failed"))
    review.keyboard.press("+")
    expect(review.locator("#ae-speed")).to_have_value("2")
    slider.focus()
    review.keyboard.press("Home")

    expect(slider).to_have_value(first)
    expect(review).to_have_url(re.compile(rf"\?t={first}$"))


def test_re6_ended_says_so_and_plays_again_from_the_beginning(review):
    slider = review.locator("#ae-slider")
    slider.focus()
    review.keyboard.press("End")
    expect(review.locator("#ae-instant .ae-chip")).to_have_attribute("data-word", "failed")

    review.locator("#ae-speed").select_option("100")
    slider.focus()
    review.keyboard.press("Space")
    expect(review.locator("#ae-review-word")).to_have_text("Ended")
    expect(review.locator("#ae-play-word")).to_have_text("Play")

    # It is held before the first frame moves it: the whole past takes a fraction of a second.
    again = slider.evaluate(PLAY_AND_HOLD)

    assert again == [slider.get_attribute("min"), "Hold"]
    expect(review.locator("#ae-play-word")).to_have_text("Play")
    expect(review.locator("#ae-instant .ae-chip")).to_have_attribute("data-word", "created")
