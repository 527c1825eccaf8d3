import json

import msgspec
import pytest

from components.sdk import wire
from components.sdk.records import Gap, Receipt, Record, Rewind
from components.sdk.tracks import TRAIL_POINTS, Track
from streaming.core import position
from streaming.core.position import Cursor

TOPIC = "klines.BTCUSDT.1m"
EPOCH = "00000000000000aa"


def ck(seq, *, epoch=EPOCH):
    texts = [b"%d" % n for n in range(1, seq + 1)]
    return position.chain_all(position.genesis(TOPIC, epoch), 1, texts)


def frame(**fields):
    return wire.decode(json.dumps(fields))


def batch(first, last, **fields):
    numbers = range(first, last + 1)
    texts = ",".join(map(str, numbers))
    text = f'{{"topic":"{TOPIC}","first":{first},"ts":[{texts}],"msgs":[{texts}]'
    more = {"ck": ck(last).hex(), **fields}
    return wire.decode(text + "".join(f',"{k}":{json.dumps(v)}' for k, v in more.items()) + "}")


def placed(at=0, **fields):
    track = Track(TOPIC)
    entry = {"topic": TOPIC, "epoch": EPOCH, "next": at + 1, "ck": ck(at).hex(), **fields}
    track.place(msgspec.convert(entry, wire.Entry))
    return track


def seqs(events):
    return [event.seq for event in events]


def test_batch_is_records_with_numbers_times_and_chain():
    records = placed().take(batch(1, 2, n=[7, 9]))

    assert records == [
        Record(TOPIC, 1, 1, 1, msgspec.Raw(b"1"), EPOCH, ck(1), 7),
        Record(TOPIC, 2, 2, 2, msgspec.Raw(b"2"), EPOCH, ck(2), 9),
    ]
    assert str(records[1].position) == f"{EPOCH}:2:{ck(2).hex()}"


def test_plain_record_is_a_batch_of_one():
    record = frame(topic=TOPIC, seq=1, ts=5, data={"a": 1}, n=3)

    (taken,) = placed().take(record)

    assert (taken.seq, taken.ts, taken.data, taken.n) == (1, 5, {"a": 1}, 3)
    assert taken.ck == position.chain(ck(0), 1, b'{"a": 1}')


def test_what_comes_again_is_dropped_and_still_proves():
    track = placed()
    track.take(batch(1, 3))
    track.place(wire.Entry(topic=TOPIC, epoch=EPOCH, next=2, ck=ck(1).hex(), resumed=True))

    again = track.take(batch(2, 4))

    assert seqs(again) == [4]
    assert track.is_whole
    assert (track.cursor.seq, track.cursor.ck) == (4, ck(4))


def test_hole_that_nobody_told_of_is_told_here():
    track = placed()

    events = track.take(batch(3, 4))

    assert events[0] == Gap(TOPIC, EPOCH, 1, 2, 2, "unannounced", 3)
    assert seqs(events[1:]) == [3, 4]
    assert [event.ck for event in events[1:]] == [None, ck(4)]
    assert events[1].position is None
    assert not track.is_whole


def test_unknown_chain_of_plain_records_keeps_the_last_proof_as_cursor():
    track = placed()
    track.take(batch(1, 2))
    track.gap(
        frame(COMMAND="GAP", topic=TOPIC, epoch=EPOCH, next=5, count=2, **{"from": 3, "to": 4})
    )

    (record,) = track.take(frame(topic=TOPIC, seq=5, ts=5, data=5))

    assert record.ck is None
    assert (track.seq, track.cursor.seq) == (5, 2)


def test_gap_goes_on_behind_what_is_missing_with_the_proof_it_brings():
    track = placed()

    gap = track.gap(
        frame(
            COMMAND="GAP",
            epoch=EPOCH,
            next=3,
            count=2,
            reason="retention",
            ck=ck(2).hex(),
            **{"from": 1, "to": 2},
        )
    )

    assert gap == Gap(TOPIC, EPOCH, 1, 2, 2, "retention", 3)
    assert [record.ck for record in track.take(batch(3, 3))] == [ck(3)]


def test_gap_of_unknown_size_starts_another_epoch_and_forgets_the_trail():
    track = placed()
    track.take(batch(1, 20))
    other = "00000000000000bb"
    previous = {"epoch": EPOCH, "seq": 20, "ck": ck(20).hex()}

    gap = track.gap(
        frame(COMMAND="GAP", epoch=other, next=4, ck="00" * 8, reason="epoch", prev=previous)
    )

    assert gap == Gap(TOPIC, other, None, None, None, "epoch", 4, previous)
    assert track.cursor == Cursor(other, 3, b"\0" * 8)


def test_rewind_forgets_what_lies_above():
    track = placed()
    track.take(batch(1, 20))
    track.take(batch(21, 40))

    rewind = track.rewind(
        frame(COMMAND="REWIND", epoch=EPOCH, to=20, ck=ck(20).hex(), reason="rollback")
    )

    assert rewind == Rewind(TOPIC, EPOCH, 20, "rollback")
    assert track.cursor == Cursor(EPOCH, 20, ck(20))
    assert seqs(track.take(batch(21, 22))) == [21, 22]


def test_changed_bytes_take_the_proof_away_and_go_on_with_the_servers_word():
    track = placed()

    track.take(batch(1, 2, ck="ff" * 8))

    assert not track.is_whole
    assert track.cursor.ck == b"\xff" * 8


@pytest.mark.parametrize(
    ("seq", "told", "is_whole"),
    [(2, ck(2), True), (2, b"\xff" * 8, False), (9, b"\xff" * 8, True)],
)
def test_proof_of_the_server_is_compared_at_the_same_place(seq, told, is_whole):
    track = placed()
    track.take(batch(1, 2))

    track.confirm(seq, told.hex())

    assert track.is_whole is is_whole


def test_proof_of_the_server_makes_an_unknown_place_known():
    track = placed(ck=None)
    track.take(frame(topic=TOPIC, seq=1, ts=1, data=1))
    before = track.cursor

    track.confirm(1, ck(1).hex())

    assert before is None
    assert track.cursor == Cursor(EPOCH, 1, ck(1))


@pytest.mark.parametrize(
    ("seq", "told", "is_verified"),
    [(2, ck(2), True), (2, b"\xff" * 8, False), (3, ck(3), False)],
)
def test_receipt_is_compared_with_what_was_received(seq, told, is_verified):
    track = placed()
    track.take(batch(1, 2))

    receipt = track.end(
        frame(COMMAND="END", epoch=EPOCH, seq=seq, count=seq, ck=told.hex(), reason="r", final=True)
    )

    assert receipt == Receipt(
        TOPIC, EPOCH, seq, seq, told.hex(), "r", is_final=True, is_verified=is_verified
    )


def test_receipt_of_a_seed_server_without_a_chain_is_not_verified():
    receipt = placed(ck=None).end(frame(COMMAND="END", seq=0, reason="r"))

    assert receipt == Receipt(TOPIC, EPOCH, 0, 0, "", "r", is_final=False, is_verified=False)


def test_track_goes_on_from_a_stored_cursor():
    track = Track.at(TOPIC, Cursor(EPOCH, 2, ck(2), ((1, ck(1)),)))
    track.place(wire.Entry(topic=TOPIC, epoch=EPOCH, next=3, ck=ck(2).hex(), resumed=True))

    assert track.cursor == Cursor(EPOCH, 2, ck(2), ((1, ck(1)),))
    assert seqs(track.take(batch(3, 3))) == [3]


def test_cursor_that_was_not_proven_stays_until_the_gap_tells_what_it_missed():
    brought = Cursor(EPOCH, 2, bytes.fromhex(ck(2).hex()))
    track = Track.at(TOPIC, brought)
    other = "f" * 16

    track.place(wire.Entry(topic=TOPIC, epoch=other, next=8, ck="a" * 16, resumed=False))

    assert track.cursor == brought

    track.gap(frame(COMMAND="GAP", topic=TOPIC, epoch=other, next=8, ck="a" * 16, reason="epoch"))

    assert track.cursor == Cursor(other, 7, bytes.fromhex("a" * 16))


def test_topic_that_has_ended_for_good_begins_anew_when_it_is_announced_again():
    track = placed()
    track.take(batch(1, 3))
    track.end(frame(COMMAND="END", epoch=EPOCH, seq=3, count=3, ck=ck(3).hex(), final=True))
    again = "00000000000000bb"
    entry = {"topic": TOPIC, "epoch": again, "next": 1, "ck": ck(0, epoch=again).hex()}

    track.place(msgspec.convert(entry, wire.Entry))
    records = track.take(batch(1, 2, ck=ck(2, epoch=again).hex()))

    assert [(one.seq, one.epoch) for one in records] == [(1, again), (2, again)]
    assert track.is_whole
    assert records[-1].ck == ck(2, epoch=again)


def test_cursor_stays_over_an_end_until_the_topic_is_announced_again():
    track = placed()
    track.take(batch(1, 3))

    track.end(frame(COMMAND="END", epoch=EPOCH, seq=3, count=3, ck=ck(3).hex(), final=True))

    assert track.cursor is not None
    assert (track.cursor.epoch, track.cursor.seq) == (EPOCH, 3)


def test_trail_stays_short_and_reaches_far_back():
    track = placed()

    for first in range(1, 4001, 20):
        track.take(batch(first, first + 19))

    trail = track.cursor.trail
    assert len(trail) <= TRAIL_POINTS
    assert trail[0][0] == 20
    assert trail[-1][0] == 3980
    assert all(point == ck(seq) for seq, point in trail)
