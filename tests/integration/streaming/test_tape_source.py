"""What a session recorded, as the source of another."""

import pytest

from streaming.core.errors import TopicNotFound
from streaming.engines.replay import ReplayView
from streaming.models import Log, Record
from streaming.sources import tape_reader
from streaming.sources.clock_range import ClockRange
from streaming.sources.source import SourceSpec
from tests import factories

pytestmark = pytest.mark.django_db

NOON = 1_723_118_400_000
TRADES, SIGNALS = "trades.BTCUSDT", "signals.sma"
FIRST, SECOND = "a" * 16, "b" * 16


@pytest.fixture
def session():
    return factories.session()


def record(session, topic, *rows, epoch=FIRST, first=1):
    """Let a topic have these records: ms after noon and data."""
    log, _ = Log.objects.get_or_create(
        session=session, name=topic, defaults={"epoch": epoch, "ck": "", "recorded": True}
    )
    Record.objects.bulk_create(
        Record(log=log, epoch=epoch, seq=seq, ck="", ts=NOON + ms, body=data)
        for seq, (ms, data) in enumerate(rows, first)
    )
    return log


def opened(session, *topics, span=None):
    spec = SourceSpec(
        None,  # type: ignore[arg-type]  # a recording has no directory
        topics or ("**",),
        range=span or ClockRange(),
        layout="recording",
        session=str(session.pk),
    )
    return tape_reader.open_tape(spec)


def read(topic, place=None):
    """All records of a topic as (ms after noon, data)."""
    place = place or topic.begin(b"")
    found = []
    while block := topic.read(place):
        found += [(ts - NOON, data) for ts, data in zip(block.ts, block.data, strict=True)]
        assert block.next.seq == block.place.seq + len(block.data)
        place = block.next
    return found


def test_topics_are_those_that_have_records(session):
    record(session, SIGNALS, (1, b"1"))
    record(session, TRADES, (1, b"2"))
    record(session, "runs.abc", (1, b"3"))
    Log.objects.create(session=session, name="prices.X", epoch=FIRST, ck="")

    found = opened(session)

    # Trades come first at one time, wherever their name stands.
    assert [topic.topic for topic in found.topics] == [TRADES, SIGNALS]
    assert [topic.is_stored for topic in found.topics] == [True, True]


def test_topic_without_a_record_is_named(session):
    with pytest.raises(TopicNotFound) as refusal:
        opened(session, TRADES)

    assert refusal.value.details == {"topic": TRADES}


def test_epochs_follow_each_other_as_they_were_recorded(session):
    record(session, TRADES, (30, b"3"), (40, b"4"), epoch=FIRST)
    record(session, TRADES, (10, b"1"), (20, b"2"), epoch=SECOND)

    [topic] = opened(session).topics

    assert topic.epochs == (SECOND, FIRST)
    assert read(topic) == [(10, b"1"), (20, b"2"), (30, b"3"), (40, b"4")]


def test_anchor_of_a_tape_that_began_late_is_no_record(session):
    log = record(session, TRADES, (10, b"1"), first=8)
    Record.objects.create(log=log, epoch=FIRST, seq=7, ck="", ts=0, body=b"")

    [topic] = opened(session).topics

    assert read(topic) == [(10, b"1")]


def test_time_never_falls(session):
    record(session, TRADES, (10, b"1"), (7, b"2"), (12, b"3"))

    [topic] = opened(session).topics

    assert read(topic) == [(10, b"1"), (10, b"2"), (12, b"3")]


def test_range_belongs_to_it_at_both_ends(session):
    record(session, TRADES, *((ms, b"%d" % ms) for ms in range(1, 10)))

    [topic] = opened(session, span=ClockRange(NOON + 3, NOON + 5)).topics

    assert read(topic) == [(3, b"3"), (4, b"4"), (5, b"5")]


def test_blocks_are_bounded_in_records_and_bytes(session, monkeypatch):
    monkeypatch.setattr(tape_reader, "BLOCK_RECORDS", 4)
    monkeypatch.setattr(tape_reader, "block_bytes", lambda count, *, most: 10)
    rows = [(ms, b"%d" % ms * (9 if ms == 5 else 1)) for ms in range(1, 12)]
    record(session, TRADES, *rows)

    [topic] = opened(session).topics
    first = topic.read(topic.begin(b""))

    assert first is not None
    assert len(first.data) == 4
    assert read(topic) == rows
    assert read(topic, first.next) == rows[4:]


@pytest.mark.django_db(transaction=True)
async def test_recording_is_a_view_with_one_clock(session_of_two):
    source, epochs = session_of_two
    view = await ReplayView.open(source, session_id="s", epochs=epochs)

    moved = await view.advance(until_ts=NOON + 20)
    rest = await view.advance()
    again = await ReplayView.open(
        source, session_id="s", epochs=epochs, n=2, checkpoint=view.checkpoint()
    )

    assert moved == {TRADES: 2, SIGNALS: 1}
    assert rest == {TRADES: 1}
    cut = await view.logs[0].read(0)
    assert cut is not None
    assert (cut.data, cut.n) == ([b"1", b"2", b"3"], [1, 2, 4])
    await again.advance()
    assert again.receipts() == view.receipts()


@pytest.fixture
def session_of_two(session):
    record(session, TRADES, (10, b"1"), (20, b"2"), (30, b"3"))
    record(session, SIGNALS, (20, b"4"))
    return opened(session), {TRADES: FIRST, SIGNALS: SECOND}
