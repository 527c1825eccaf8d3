"""The Topics monitor and the page of one topic: TO1 to TO7, keys, and a socket that is cut."""

import json
import re
import threading
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import expect
from websockets.exceptions import ConnectionClosed

from tests.browser import people
from tests.browser.desk import Scripted, until

MONITOR = "/admin/aegis_streaming/log/"
WINDOW = 500


class Feed(Scripted):
    """A component that publishes, and the session that it is in."""

    def tail(self, *topics: str) -> str:
        tails = "&".join(f"tail={self.session['id']}:{topic}" for topic in topics)
        return f"{MONITOR}?session={self.session['id']}&{tails}"

    def page(self, topic: str, query: str = "") -> str:
        return f"{MONITOR}{self.session['id']}/{topic}/{query}"


@pytest.fixture
def new_feed(api, served):
    """Make a running session with a component that publishes into it."""
    made: list[Scripted] = []

    def make(**fields: Any) -> Feed:
        session = api.session(**fields)
        api.post(f"sessions/{session['id']}/start", {"reason": "test"})
        feed = Feed(served.ws_url, api.token_of(session), "feed")
        feed.register().hello().ready()
        feed.session = session
        made.append(feed)
        return feed

    yield make
    for feed in made:
        feed.close()


@pytest.fixture
def feed(new_feed):
    return new_feed()


def publish(api, feed: Feed, topic: str, *data: Any) -> dict[str, Any]:
    """Publish through the API, so that it is done when this returns."""
    body = {"records": [{"data": one} for one in data]}
    return dict(api.post(f"sessions/{feed.session['id']}/topics/{topic}", body))


def listed(api, feed: Feed, *topics: str) -> None:
    """Wait until the topics are listed."""
    path = f"topics?session={feed.session['id']}"
    until(lambda: {*topics} <= {one["name"] for one in api.get(path)["data"]})


def counted(pane: Any) -> tuple[int, int]:
    text = pane.locator(".ae-tail-counts").inner_text().replace("\u2009", "")
    found = re.match(r"(\d+) shown, (\d+) skipped", text)
    assert found is not None, text
    return int(found[1]), int(found[2])


SHOWN = """
rows => rows.filter(row => !row.closest("[hidden], details:not([open])"))
  .map(row => row.querySelector(".ae-record-data").textContent)
"""


def values(pane: Any) -> list[str]:
    """The records that are not hidden, the newest first; those out of sight included."""
    return [" ".join(one.split()) for one in pane.locator(".ae-record").evaluate_all(SHOWN)]


def cell(desk: Any, topic: str, column: str) -> Any:
    return desk.page.locator(f"#ae-topics tr[data-topic='{topic}'] [data-col={column}]")


# TO1 to TO7


@pytest.mark.parametrize("mode", ["sampled", "all"])
def test_to1_shown_and_skipped_are_all_of_a_burst(desk, api, feed, mode):
    publish(api, feed, "book", {"n": 0})
    desk.open(feed.tail("book")).live()
    pane = desk.page.locator(".ae-tail-pane")
    expect(pane.locator(".ae-record")).to_have_count(1)
    desk.page.locator(f"[data-mode={mode}]").click()

    for begin in range(0, 1000, 100):
        feed.publish("book", *({"n": begin + i + 1} for i in range(100)))

    until(lambda: sum(counted(pane)) == 1001)
    expect(pane.locator(".ae-record-data").first).to_have_text(re.compile(r"^n 1000\s*$"))
    shown = [int(value.split()[1]) for value in values(pane)]
    assert shown == sorted(shown, reverse=True)
    assert len(shown) <= WINDOW


def test_to2_nothing_that_was_visible_vanishes(desk, api, feed):
    publish(api, feed, "book", {"n": 1}, {"n": 2})
    desk.open(feed.tail("book")).live()
    pane = desk.page.locator(".ae-tail-pane")
    expect(pane.locator(".ae-record")).to_have_count(2)

    desk.page.locator("#ae-tails-hold").click()
    publish(api, feed, "book", {"n": 3}, {"n": 4})
    expect(pane.locator(".ae-tail-state")).to_have_text("Held, 2 waiting")
    pane.locator("[data-do=clear]").click()
    expect(pane.locator(".ae-copy-said")).to_have_text("The view is held; release it to clear.")
    assert values(pane) == ["n 2", "n 1"]
    desk.page.locator("#ae-tails-hold").click()

    expect(pane.locator(".ae-record")).to_have_count(4)
    assert values(pane) == ["n 4", "n 3", "n 2", "n 1"]
    pane.locator("[data-do=clear]").click()
    publish(api, feed, "book", {"n": 5})
    expect(pane.locator(".ae-fold summary")).to_contain_text("4 rows cleared at")
    until(lambda: values(pane) == ["n 5"])
    pane.locator(".ae-fold summary").click()
    until(lambda: values(pane) == ["n 5", "n 4", "n 3", "n 2", "n 1"])


def test_to3_scrolling_a_tail_moves_nothing_else(desk, api, feed):
    long = "x" * 400
    publish(api, feed, "book", *({"n": n, "long": long} for n in range(60)))
    desk.open(feed.tail("book")).live()
    log = desk.page.locator(".ae-tail")
    expect(log.locator(".ae-record")).to_have_count(50)
    log.evaluate("log => { log.scrollLeft = 200; log.scrollTop = log.scrollHeight; }")
    log.hover()
    before = desk.page.evaluate("[scrollY, document.getElementById('main').scrollTop]")
    desk.page.mouse.wheel(0, 2000)
    feed.publish("book", {"n": 60, "long": long})
    expect(log.locator(".ae-record")).to_have_count(51)

    assert log.evaluate("log => log.scrollLeft") == 200
    assert log.evaluate("log => log.scrollTop") > 0
    assert desk.page.evaluate("[scrollY, document.getElementById('main').scrollTop]") == before


def test_to4_lag_of_a_throttled_subscriber_rises_and_falls_as_the_api_says(desk, api, feed, served):
    slow = Scripted(served.ws_url, api.token_of(feed.session), "slow", "book").register()
    slow.hello().subscribe().ready()
    publish(api, feed, "book", {"n": 0})
    path = f"sessions/{feed.session['id']}/topics/book/subscribers"
    until(lambda: api.get(path)["data"])
    desk.open(feed.page("book")).live()
    lag = desk.page.locator("#ae-subscribers [data-lag]")
    expect(lag).to_have_attribute("data-lag", "0")

    slow.data.send(json.dumps({"COMMAND": "PAUSE", "topic": "book"}))
    until(lambda: api.get(path)["data"][0]["is_paused"])
    for size in (300, 200):
        publish(api, feed, "book", *range(size))
    expect(lag).to_have_attribute("data-lag", "500")
    assert api.get(path)["data"][0]["lag"] == 500
    expect(desk.page.locator("#ae-subscribers")).to_contain_text("paused by itself")
    rows = desk.page.locator("#ae-subscribers tr")
    expect(rows.locator("[data-label=Overflow]")).to_have_text([api.get(path)["data"][0]["policy"]])
    slow.data.send(json.dumps({"COMMAND": "RESUME", "topic": "book"}))

    expect(lag).to_have_attribute("data-lag", "0")
    assert api.get(path)["data"][0]["lag"] == 0
    slow.close()


def drained(component: Scripted) -> None:
    """Take all that it is sent, until its socket ends."""
    with suppress(ConnectionClosed):
        while True:
            component.data.recv()


def test_co3_a_slow_consumer_falls_behind_and_drops_alone(desk, api, feed, served):
    slow, quick = (
        Scripted(served.ws_url, api.token_of(feed.session), name, "book").register()
        for name in ("slow", "quick")
    )
    for one in (slow, quick):
        one.hello().subscribe().ready()
    reading = threading.Thread(target=drained, args=(quick,))
    reading.start()
    path = f"sessions/{feed.session['id']}/topics/book/subscribers"
    publish(api, feed, "book", {"n": 0})
    until(lambda: len(api.get(path)["data"]) == 2)
    desk.open(feed.page("book")).live()
    rows = desk.page.locator("#ae-subscribers tr")
    held, other = rows.filter(has_text="slow"), rows.filter(has_text="quick")

    slow.data.send(json.dumps({"COMMAND": "PAUSE", "topic": "book"}))
    expect(held).to_contain_text("paused by itself")
    for _ in range(80):
        publish(api, feed, "book", *range(500))
    expect(held.locator("[data-lag]")).not_to_have_attribute("data-lag", "0")
    slow.data.send(json.dumps({"COMMAND": "RESUME", "topic": "book"}))

    expect(held.locator("[data-label=Dropped]")).to_have_text(re.compile("[1-9]"))
    expect(held.locator("[data-label=Overflow]")).to_have_text(re.compile("[a-z]"))
    expect(other.locator("[data-lag]")).to_have_attribute("data-lag", "0")
    dropped = {one["component_id"]: one["dropped"] for one in api.get(path)["data"]}
    assert (dropped[slow.id] > 0, dropped[quick.id]) == (True, 0)
    # The page of the component says the same, and so does the session's tab.
    desk.open(f"/admin/aegis_components/component/{slow.id}/change/").live()
    mine = desk.page.locator("#ae-streams [data-key=takes-book]")
    expect(mine.locator("[data-label=Dropped]")).to_have_text(re.compile("[1-9]"))
    expect(mine.locator("[data-label=Overflow]")).to_have_text(re.compile("[a-z]"))
    expect(desk.page.locator("#ae-streams")).to_contain_text("slow connected")
    desk.session(feed.session, "?tab=participants")
    lost = desk.page.locator(f"[data-key='{slow.id}'] [data-label=Drops]")
    expect(lost).to_have_text(re.compile("[1-9]"))
    for one in (slow, quick):
        one.close()
    reading.join()


def test_to5_page_answers_while_a_fast_tail_runs_and_keeps_its_window(desk, api, feed):
    publish(api, feed, "book", {"n": 0})
    desk.open(feed.tail("book")).live()
    desk.page.locator("[data-mode=all]").click()
    pane = desk.page.locator(".ae-tail-pane")

    for begin in range(0, 6000, 200):
        feed.publish("book", *({"n": begin + i + 1} for i in range(200)))
        desk.page.locator("#ae-search").press("a")
    until(lambda: sum(counted(pane)) == 6001)

    assert desk.page.locator("#ae-search").input_value() == "a" * 30
    assert pane.locator(".ae-record").count() <= WINDOW
    expect(pane.locator(".ae-tail-window")).to_contain_text("window 500 rows")


def test_to6_filter_holds_for_past_and_new_rows_and_is_recalled(desk, api, feed):
    publish(api, feed, "book", {"side": "buy", "p": 5}, {"side": "sell", "p": 7})
    desk.open(feed.tail("book")).live()
    pane = desk.page.locator(".ae-tail-pane")
    field = pane.locator(".ae-tail-filter")
    expect(pane.locator(".ae-record")).to_have_count(2)

    field.fill("p > 6 -buy")
    until(lambda: values(pane) == ["side sell p 7"])
    publish(api, feed, "book", {"side": "buy", "p": 8}, {"side": "sell", "p": 9})

    until(lambda: values(pane) == ["side sell p 9", "side sell p 7"])
    expect(pane.locator(".ae-tail-counts")).to_contain_text("2 hidden by the filter")
    pane.locator("[data-do=close]").click()
    desk.page.locator("[data-tail=book]").check()
    expect(field).to_have_value("p > 6 -buy")
    until(lambda: values(pane) == ["side sell p 9", "side sell p 7"])
    field.fill("p > ")
    expect(pane.locator(".ae-tail-fault")).to_contain_text("Not understood")
    expect(pane.locator(".ae-record:visible")).to_have_count(4)


ASK = """
frame => new Promise((done) => {
  const socket = new WebSocket(`ws://${location.host}/ws/live`);
  const heard = [];
  socket.onopen = () => socket.send(JSON.stringify(frame));
  socket.onmessage = ({data}) => {
    const said = JSON.parse(data);
    if (said.type !== "hello" && said.type !== "beat") { done(said); socket.close(); }
  };
  socket.onclose = () => done({type: "closed"});
})
"""


@pytest.mark.parametrize(
    ("team", "codenames", "status", "code"),
    [
        ("default", ["view_session"], 403, "PERMISSION_DENIED"),
        ("elsewhere", ["view_session", "view_log"], 404, "SESSION_NOT_FOUND"),
    ],
)
def test_to7_who_may_not_read_a_topic_gets_it_nowhere(
    browser, served, api, feed, team, codenames, status, code
):
    publish(api, feed, "hush", {"secret": 1})
    listed(api, feed, "hush")
    page = people.signed_in(browser, served, codenames, team=team)

    found = page.goto(f"{served.url}{feed.page('hush')}")
    monitor = page.goto(f"{served.url}{MONITOR}")
    text = page.locator("body").inner_text()
    page.goto(f"{served.url}/admin/aegis_sessions/session/")
    frame = {"type": "tail", "id": feed.session["id"], "topic": "hush", "after": None}
    answer = page.evaluate(ASK, frame)

    assert found is not None
    assert monitor is not None
    assert (found.status, monitor.status) == (status, 403 if status == 403 else 200)
    assert "hush" not in text
    assert (answer["type"], answer["error"]["code"]) == ("error", code)
    page.context.close()


# The table


def publish_until_it_has_a_rate(desk, feed):
    """Publish to the topic until the table shows so; the cell of its rate."""
    rate = cell(desk, "book", "rate")

    def is_shown():
        feed.publish("book", {"n": 1}, {"n": 2}, {"n": 3})
        feed.beat()
        desk.page.wait_for_timeout(100)
        return re.match("[1-9]", rate.inner_text())

    until(is_shown)
    return rate


def test_rates_publishers_and_lag_move_without_a_reload(desk, api, feed):
    publish(api, feed, "book", {"n": 0})
    listed(api, feed, "book")
    desk.open(f"{MONITOR}?session={feed.session['id']}").live()
    expect(cell(desk, "book", "subscribers")).to_have_text("0")

    rate = publish_until_it_has_a_rate(desk, feed)

    assert re.search("feed.*nobody is subscribed", rate.locator("b").get_attribute("title"))
    expect(cell(desk, "book", "publisher")).to_contain_text("+1")
    expect(cell(desk, "book", "spark").locator("polyline").first).to_have_attribute(
        "points", re.compile(r"\d")
    )


def test_silent_topic_turns_amber_with_its_sentence(desk, api, feed):
    publish(api, feed, "book", {"n": 0})
    listed(api, feed, "book")
    desk.open(f"{MONITOR}?session={feed.session['id']}").live()
    publish_until_it_has_a_rate(desk, feed)

    sentence = re.compile(r"book silent \d+ s, normal gap \d\.\d s\.")
    expect(cell(desk, "book", "topic")).to_have_text(sentence, timeout=20_000)
    expect(cell(desk, "book", "last").locator("[data-tone=warn]")).to_be_visible()
    expect(desk.page.locator("#ae-views")).to_contain_text("Silent")
    desk.open(f"{MONITOR}?view=silent&session={feed.session['id']}").live()
    expect(cell(desk, "book", "topic")).to_be_visible()


def test_new_topics_are_counted_and_read_on_demand(desk, api, feed):
    publish(api, feed, "book", {"n": 0})
    listed(api, feed, "book")
    desk.open(f"{MONITOR}?session={feed.session['id']}").live()

    publish(api, feed, "klines", {"n": 0})
    expect(desk.page.locator("#ae-changed")).to_contain_text("new")
    desk.page.locator("#ae-refresh").click()

    expect(cell(desk, "klines", "topic")).to_be_visible()
    expect(desk.page.locator("#ae-changed")).to_have_text("")


def test_keys_walk_the_table_and_can_be_switched_off(desk, api, feed):
    publish(api, feed, "a", {"n": 0})
    publish(api, feed, "b", {"n": 0})
    listed(api, feed, "a", "b")
    desk.open(f"{MONITOR}?session={feed.session['id']}").live()
    keyboard = desk.page.keyboard

    keyboard.press("j")
    keyboard.press("j")
    expect(cell(desk, "b", "topic").locator("a")).to_be_focused()
    keyboard.press("x")
    expect(desk.page.locator(".ae-tail-name")).to_have_text(["b"])
    expect(cell(desk, "b", "topic").locator("a")).to_be_focused()
    keyboard.press("k")
    keyboard.press("x")
    expect(desk.page.locator("#ae-tails-title")).to_have_text("2 tails on one clock")
    keyboard.press("/")
    expect(desk.page.locator("#ae-search")).to_be_focused()
    keyboard.type("jx")
    expect(desk.page.locator("#ae-search")).to_have_value("jx")
    keyboard.press("Escape")
    keyboard.press("?")
    desk.page.locator("#ae-keys-on").uncheck()
    keyboard.press("Escape")
    keyboard.press("/")
    expect(desk.page.locator("#ae-search")).not_to_be_focused()
    cell(desk, "a", "topic").locator("a").focus()
    keyboard.press("Enter")
    expect(desk.page.locator("#ae-head .ae-title")).to_have_text("a")


def test_socket_cut_in_the_middle_comes_back_with_everything(desk, api, feed):
    publish(api, feed, "book", {"n": 0})
    listed(api, feed, "book")
    desk.open(feed.tail("book")).live()
    pane = desk.page.locator(".ae-tail-pane")
    expect(pane.locator(".ae-record")).to_have_count(1)

    desk.page.context.set_offline(True)
    desk.page.evaluate("dispatchEvent(new Event('offline'))")
    badge = desk.page.locator("#ae-live")
    expect(badge).to_have_attribute(
        "data-state", re.compile("reconnecting|offline"), timeout=20_000
    )
    publish(api, feed, "book", {"n": 1}, {"n": 2})
    desk.page.context.set_offline(False)
    desk.live()

    until(lambda: values(pane) == ["n 2", "n 1", "n 0"])
    expect(cell(desk, "book", "topic")).to_be_visible()


# The page of one topic


def test_two_topics_run_side_by_side(desk, api, feed):
    publish(api, feed, "book", {"n": 1})
    publish(api, feed, "klines", {"c": 1})
    listed(api, feed, "book", "klines")
    desk.open(feed.page("book")).live()

    desk.page.locator("#ae-beside").select_option("klines")
    publish(api, feed, "klines", {"c": 2})

    expect(desk.page.locator(".ae-tail-name")).to_have_text(["book", "klines"])
    right = desk.page.locator(".ae-tail-pane[data-topic=klines]")
    until(lambda: values(right) == ["c 2", "c 1"])
    assert "beside=klines" in desk.page.url
    desk.page.reload()
    expect(desk.page.locator(".ae-tail-name")).to_have_text(["book", "klines"])


def test_charts_have_a_sentence_and_a_table(desk, api, feed):
    publish(api, feed, "book", {"n": 1})
    desk.open(feed.page("book")).live()
    chart = desk.page.locator("[data-chart=rate]")
    expect(chart.locator("[data-summary]")).to_contain_text("records per second in the last")
    expect(chart.locator("canvas")).to_be_visible()

    chart.locator("summary").click()

    expect(chart.locator("tbody tr").first).to_be_visible()


def test_record_is_published_by_hand_and_its_position_told(desk, api, feed):
    publish(api, feed, "book", {"n": 1})
    desk.open(feed.page("book")).live()

    desk.page.locator("#ae-publish-data").fill('{"n":\n 2.50}')
    desk.page.locator("#ae-publish button").click()

    expect(desk.page.locator("#ae-published-at")).to_have_text(
        re.compile(r"^[0-9a-f]{16}:2:[0-9a-f]{16}$")
    )
    until(lambda: values(desk.page.locator(".ae-tail-pane")) == ["n 2.5", "n 1"])
    desk.page.locator("#ae-publish-data").fill("{nonsense")
    desk.page.locator("#ae-publish button").click()
    expect(desk.page.locator("#ae-published")).to_contain_text("VALIDATION_ERROR")


def test_publishing_into_production_asks_first(desk, api, new_feed):
    feed = new_feed(environment="production")
    publish(api, feed, "book", {"n": 1})
    desk.open(feed.page("book")).live()
    button, dialog = desk.page.locator("#ae-publish button"), desk.page.locator("#ae-confirm")

    button.click()
    expect(dialog.locator("#ae-confirm-cancel")).to_be_focused()
    desk.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert desk.page.locator("#ae-published").inner_text() == ""
    button.click()
    expect(dialog.locator("#ae-confirm-go")).to_be_disabled()
    dialog.locator("#ae-confirm-key").fill(feed.session["key"])
    dialog.locator("#ae-confirm-go").click()

    expect(desk.page.locator("#ae-published-at")).to_contain_text(":2:")


def test_records_are_copied_and_downloaded_as_lines(desk, api, feed):
    publish(api, feed, "book", {"n": 1}, {"n": 2})
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.open(feed.tail("book")).live()
    pane = desk.page.locator(".ae-tail-pane")
    expect(pane.locator(".ae-record")).to_have_count(2)

    pane.locator("[data-do=copy]").click()
    expect(pane.locator(".ae-copy-said")).to_have_text("Copied")
    copied = desk.page.evaluate("navigator.clipboard.readText()")
    with desk.page.expect_download() as saved:
        pane.locator("[data-do=download]").click()

    lines = [json.loads(line) for line in copied.splitlines()]
    assert [(line["seq"], line["data"]) for line in lines] == [(1, {"n": 1}), (2, {"n": 2})]
    assert saved.value.suggested_filename.startswith("book-")
    with saved.value.path().open() as file:
        assert file.read().strip() == copied
