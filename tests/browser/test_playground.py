"""The playground: a handshake by hand, and the other sockets."""

import pytest
from playwright.sync_api import expect

from tests.browser.desk import until
from tests.browser.test_sweep import faults


@pytest.fixture
def session(api):
    made = api.session()
    api.post(f"sessions/{made['id']}/start")
    return made


def test_br4_handshake_by_hand_reaches_streaming(desk, api, session):
    desk.open(f"/admin/playground/?session={session['id']}")
    send, log = desk.page.locator("#ae-play-send"), desk.page.locator("#ae-play-log")

    for answer in ("ACK", "ACK", "SUBSCRIBED"):
        before = log.locator("[data-kind=in]").count()
        send.click()
        expect(log.locator("[data-kind=in]").nth(before)).to_contain_text(answer)
    send.click()
    found = f"sessions/{session['id']}/components"
    until(lambda: [one["state"] for one in api.get(found)["data"]] == ["running"])
    api.post(f"sessions/{session['id']}/topics/playground", {"records": [{"data": {"n": 1}}]})

    expect(desk.page.locator("#ae-play-said")).to_have_text("Records are streaming.")
    assert "aeg_…" in log.inner_text()
    assert faults(desk) == []
    desk.page.locator("#ae-play-close").click()
    expect(desk.page.locator("#ae-play-sockets")).to_have_text("No socket is open")


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("commands", '"SESSION_LIST"'),
        ("task", '"final"'),
        ("bus", '"success"'),
        ("conversation", '"connected"'),
    ],
)
def test_first_frame_of_each_dialect_is_answered(desk, session, script, answer):
    desk.open(f"/admin/playground/?session={session['id']}")
    desk.page.locator("#ae-script").select_option(script)

    desk.page.locator("#ae-play-send").click()

    heard = desk.page.locator("#ae-play-log [data-kind=in]")
    expect(heard.filter(has_text=answer).first).to_be_visible()


def test_frame_that_is_no_json_is_not_sent(desk, session):
    desk.open(f"/admin/playground/?session={session['id']}")

    desk.page.locator("#ae-play-frame").fill("{")
    desk.page.locator("#ae-play-send").click()

    expect(desk.page.locator("#ae-play-said")).to_contain_text("The frame is not JSON")
    assert desk.page.locator("#ae-play-log > *").count() == 0
