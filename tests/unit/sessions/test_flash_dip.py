"""The market, the desk and the risk of the demo's story."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.core.flash_dip import desk, market, past, risk, telling, words

SEEDS = range(1, 6)
PATIENCE = 5


class Story:
    """The story played without a server: what was said on each topic, at which second."""

    def __init__(self, seed):
        self.market = market.Market(seed)
        self.desk, self.meter = desk.Desk(PATIENCE), risk.Meter(PATIENCE)
        self.said = []

    def play(self, until):
        while self.market.second < until:
            for topic, data in market.topics(self.market.tick()):
                self.say(topic, data)
        return self

    def say(self, topic, data):
        self.said.append((self.market.second, topic, data))
        takers = {
            words.BOOK: (self.meter.take_book, self.desk.take_book),
            words.KLINES: (self.meter.take_kline, self.desk.take_kline),
            words.POSITIONS: (self.meter.take_position,),
        }
        for take in takers.get(topic, ()):
            for one in take(data):
                self.say(*one)

    def on(self, topic):
        return [(second, data) for second, name, data in self.said if name == topic]


@pytest.fixture(scope="module", params=SEEDS)
def story(request):
    return Story(request.param).play(60)


def test_one_seed_is_one_market():
    first, second = Story(7).play(90), Story(7).play(90)

    assert first.said == second.said
    assert Story(8).play(1).said != Story(7).play(1).said


def test_there_are_ten_books_and_one_kline_a_second():
    story = Story(7).play(10)

    assert len(story.on(words.BOOK)) == 100
    assert [data["open_time"] for _, data in story.on(words.KLINES)] == [
        market.START_MS + minute * market.MINUTE_MS for minute in range(10)
    ]


def test_first_kline_begins_a_story():
    klines = [data for _, data in Story(7).play(3).on(words.KLINES)]

    assert [market.begins(one) for one in klines] == [True, False, False]
    assert [market.minute_of(one) for one in klines] == [1, 2, 3]


def test_strategy_holds_a_position_before_the_book_freezes(story):
    (second, order), *_ = story.on(words.ORDERS)

    assert 8 <= second <= 20
    assert (order["side"], order["status"], order["position"]) == ("buy", "filled", "0.25000")
    assert story.on(words.SIGNALS)[0][1]["side"] == "buy"


def test_book_is_silent_while_klines_go_on(story):
    assert story.on(words.BOOK)[-1][0] == market.FREEZE_AT
    assert story.on(words.KLINES)[-1][0] == 60


def test_price_falls_at_once_where_the_book_shows_nothing(story):
    klines = {second: float(data["close"]) for second, data in story.on(words.KLINES)}

    assert klines[market.GAP_AT + 1] / klines[market.GAP_AT] == pytest.approx(0.97, abs=0.002)


def test_orders_at_the_frozen_book_are_refused(story):
    late = [data for second, data in story.on(words.ORDERS) if second > market.GAP_AT]

    assert {data["status"] for data in late} == {"refused"}
    assert {data["position"] for data in late} == {"0.25000"}
    assert [data["order"] for _, data in story.on(words.ERRORS)] == [data["id"] for data in late]
    assert story.on(words.ERRORS)[0][1]["code"] == "OFF_MARKET"


def test_gap_with_a_silent_book_is_one_alert(story):
    ((second, alert),) = story.on(words.ALERTS)

    assert market.GAP_AT < second < market.GAP_AT + 8
    assert alert["book_age_seconds"] == second - market.FREEZE_AT
    assert alert["fall_percent"] == pytest.approx(3, abs=0.2)
    assert alert["position"] == "0.25000"


def test_feed_is_lost_with_the_gap_and_comes_back_some_time_after_a_decision():
    told = market.Market(7)
    ticks = [told.tick() for _ in range(600)]
    told.resume(after_seconds=20)
    told.resume(after_seconds=0)
    later = [(told.tick(), told.is_resuming) for _ in range(210)]

    assert [tick.has_link for tick in ticks].index(False) == market.GAP_AT * 10
    assert [is_resuming for _, is_resuming in later].index(True) == 200
    assert [tick.book is None for tick, _ in later] == [True] * 200 + [False] * 10
    assert [tick.has_link for tick, _ in later] == [False] * 200 + [True] * 10


def test_book_that_is_there_needs_not_come_back():
    told = market.Market(7)
    told.resume(after_seconds=0)

    assert not told.is_resuming
    assert not any(tick.book for tick in [told.tick() for _ in range(500)][400:])


def test_flattening_closes_the_position_near_the_last_kline():
    story = Story(7).play(60)
    close = float(story.on(words.KLINES)[-1][1]["close"])

    order = story.desk.flatten(max_slippage_bps=10)

    assert order is not None
    assert (order["side"], order["status"], order["position"]) == ("sell", "filled", "0.00000")
    assert float(order["price"]) == pytest.approx(close * 0.999, abs=0.01)
    assert story.desk.flatten(max_slippage_bps=10) is None
    assert story.desk.is_halted


def test_halted_strategy_sends_no_order():
    story = Story(7).play(market.GAP_AT + 2)
    story.desk.halt()
    before = len(story.on(words.ORDERS))

    story.play(market.GAP_AT + 6)

    assert len(story.on(words.ORDERS)) == before
    assert story.desk.standing()["is_halted"]


def test_book_that_comes_back_ends_the_alarm_and_lets_orders_through():
    story = Story(7).play(60)
    story.market.resume(after_seconds=1)

    story.play(200)

    assert len(story.on(words.ALERTS)) == 1
    assert story.on(words.ORDERS)[-1][1]["status"] == "filled"
    assert story.on(words.RISK)[-1][1]["book_age_seconds"] == 0


def test_meter_without_a_book_sounds_no_alarm():
    meter = risk.Meter()
    story = Story(7).play(60)

    said = [meter.take_kline(data) for _, data in story.on(words.KLINES)]

    assert {topic for told in said for topic, _ in told} == {words.RISK}


def test_desk_that_has_seen_nothing_knows_nothing():
    assert desk.Desk().standing() == {
        "position": "0.00000",
        "orders": 0,
        "close": None,
        "book_mid": None,
        "minute": 0,
        "is_halted": False,
    }


def test_strategy_without_a_book_trades_nothing():
    told = desk.Desk()
    story = Story(7).play(20)

    said = [told.take_kline(data) for _, data in story.on(words.KLINES)]

    assert {topic for one in said for topic, _ in one} == {words.SIGNALS, words.POSITIONS}


def test_explanation_names_the_records_that_show_it():
    story = Story(7).play(market.GAP_AT + 5)
    klines = [{"seq": n, "data": data} for n, (_, data) in enumerate(story.on(words.KLINES), 1)]
    books = [{"seq": 300, "data": story.on(words.BOOK)[-1][1]}]

    said = telling.explained(klines, books)

    assert f"Kline {market.GAP_AT} of {words.KLINES} closed at" in said
    assert "record 300 of orderbook.BTCUSDT" in said
    assert telling.explained([], []).startswith("There is no book at all.")


def test_report_has_position_decision_and_who_decided():
    story = Story(7).play(60)
    order = story.desk.flatten(max_slippage_bps=25)
    decision = {
        "tool": words.FLATTEN,
        "arguments": "symbol=BTCUSDT, max_slippage_bps=25",
        "state": "approved",
        "by": "user:ada",
        "reason": "less | better",
    }
    incident = {"standing": story.desk.standing(), "orders": [order], "decisions": [decision]}

    report = telling.report(incident, words.APPROVED)

    assert "- Outcome: approved." in report
    assert "- Position now: 0.00000 (" in report
    assert "strategy halted" in report
    row = "| symbol=BTCUSDT, max_slippage_bps=25 | approved | user:ada | less / better |"
    assert row in report
    assert f"| sell | 0.25000 | {order['price']} | filled | 0.00000 |" in report


def test_report_of_what_nobody_decided_says_nobody():
    decision = {"tool": "a", "arguments": "", "state": "expired", "by": "", "reason": ""}
    incident = {"standing": desk.Desk().standing(), "orders": [], "decisions": [decision]}

    report = telling.report(incident, words.EXPIRED)

    assert "| a |  | expired | nobody |  |" in report
    assert "strategy trading" in report


def test_fill_is_told_with_price_and_position():
    order = {"quantity": "0.25000", "price": "87000.00", "position": "0.00000"}

    assert telling.filled(order) == "Sold 0.25000 BTCUSDT at 87000.00; the position is 0.00000."
    assert telling.filled(None) == "There was no position left to close."


@given(st.randoms(use_true_random=False), st.integers(1, 9))
def test_one_market_is_one_tape_whatever_comes_first(random, seed):
    """However the topics overtake each other, each of them in its own order."""
    told = market.Market(seed)
    ticks = [told.tick() for _ in range((market.GAP_AT + 6) * market.TICKS_A_SECOND)]
    rows = [(topic, data) for tick in ticks for topic, data in market.topics(tick)]
    books = [data for topic, data in rows if topic == words.BOOK]
    klines = [data for topic, data in rows if topic == words.KLINES]
    strategy, meter = desk.Desk(1000), risk.Meter(1000)
    straight = Story(seed).play(market.GAP_AT + 6)

    orders = shuffled(random, {strategy.take_book: books, strategy.take_kline: klines})
    positions = [data for topic, data in orders if topic == words.POSITIONS]
    takes = {
        meter.take_book: books,
        meter.take_kline: klines,
        meter.take_position: positions,
    }
    risks = shuffled(random, takes)

    for topic in (words.SIGNALS, words.ORDERS, words.ERRORS):
        assert [data for name, data in orders if name == topic] == [
            data for _, data in straight.on(topic)
        ]
    for topic in (words.RISK, words.ALERTS):
        assert [data for name, data in risks if name == topic] == [
            data for _, data in straight.on(topic)
        ]


def shuffled(random, takes):
    """What is said when these take their rows, each in its order, and in no order among them."""
    turns = [take for take, rows in takes.items() for _ in rows]
    random.shuffle(turns)
    left = {take: iter(rows) for take, rows in takes.items()}
    return [one for take in turns for one in take(next(left[take]))]


def test_what_never_comes_is_waited_for_only_so_long():
    klines = [data for _, data in Story(7).play(9).on(words.KLINES)]
    strategy, meter = desk.Desk(3), risk.Meter(3)

    orders = [strategy.take_kline(one) for one in klines]
    risks = [meter.take_kline(one) for one in klines]

    assert [len(one) for one in orders[:4]] == [0, 0, 0, 1]
    times = [data["time"] for one in risks for _, data in one]
    assert times == [one["close_time"] for one in klines[:-3]]


def test_another_story_begins_without_the_books_of_the_one_before():
    books, (kline, *_) = ([data for _, data in Story(7).play(2).on(topic)]
                          for topic in (words.BOOK, words.KLINES))  # fmt: skip
    kept = past.Past(words.BOOK_NUMBER)

    for one in [*books, books[0]]:
        kept.take(one)

    assert not kept.has(kline["book"])
    assert kept.at(kline["book"]) == books[0]
    assert kept.at(0) is None
