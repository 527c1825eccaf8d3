import json

from components.sdk import wire
from components.sdk.records import Batch, Gap
from components.sdk.streams import Streams
from components.sdk.wire import Subscription
from streaming.core import position
from streaming.core.position import Cursor

EPOCH = "00000000000000aa"
CURSOR = Cursor(EPOCH, 2, b"\x01" * 8)
ENTRY = {"epoch": EPOCH, "next": 3, "ck": "01" * 8, "resumed": True}


def frame(**fields):
    return wire.decode(json.dumps(fields))


def subscribed(topic, alias=None):
    return frame(COMMAND="SUBSCRIBED", id=1, topics=[{**ENTRY, "topic": topic, "alias": alias}])


def taken(streams, **fields):
    batch = streams.take(frame(**fields))
    assert batch is not None
    return batch


def followed(*topics):
    return [each.topic for each in topics]


def test_topics_are_asked_for_with_their_cursors_and_patterns_with_what_was_seen():
    streams = Streams([Subscription("a"), Subscription("k.*", start="earliest", policy="drop")])
    streams.restore({"a": CURSOR, "k.x": CURSOR, "other": CURSOR})

    assert streams.requests() == [
        {"topic": "a", "from": "latest", "cursor": CURSOR.as_dict()},
        {"topic": "k.x", "from": "earliest", "policy": "drop", "cursor": CURSOR.as_dict()},
        {"topic": "k.*", "from": "earliest", "policy": "drop"},
    ]
    assert streams.names == ["a"]


def test_what_is_covered_already_is_not_followed_twice():
    streams = Streams([Subscription("k.*")])

    streams.follow(Subscription("k.x"))
    streams.follow(Subscription("a"))

    assert followed(*streams.subscriptions) == ["k.*", "a"]


def test_second_subscription_takes_the_place_of_the_first():
    streams = Streams([Subscription("a"), Subscription("b")])

    streams.add(Subscription("a", start="earliest"))
    streams.drop("b")

    assert streams.subscriptions == [Subscription("a", start="earliest")]


def test_frames_find_their_topic_by_alias_or_name():
    streams = Streams()
    streams.place(subscribed("a", alias=7))

    by_alias = taken(streams, alias=7, seq=3, ts=1, data=1)
    by_name = taken(streams, topic="a", seq=4, ts=1, data=1)

    ck = position.chain_all(CURSOR.ck, 3, [b"1", b"1"])
    assert [event.seq for event in (*by_alias.events, *by_name.events)] == [3, 4]
    assert by_name.cursor == Cursor(EPOCH, 4, ck, by_name.cursor.trail)


def test_record_of_a_server_without_subscribed_opens_its_topic():
    batch = taken(Streams(), topic="a", seq=1, ts=1, data=1)

    assert [event.seq for event in batch.events] == [1]


def test_aliases_of_an_older_connection_mean_nothing():
    streams = Streams()
    streams.place(subscribed("a", alias=7))

    streams.requests()

    assert streams.take(frame(alias=7, seq=3, ts=1, data=1)) is None


def test_gap_rewind_and_end_are_events():
    streams = Streams()
    streams.place(subscribed("a", alias=7))

    gap = taken(streams, COMMAND="GAP", alias=7, epoch=EPOCH, next=9, count=6, reason="r")
    rewind = taken(streams, COMMAND="REWIND", alias=7, to=2, ck="01" * 8)
    end = taken(streams, COMMAND="END", alias=7, seq=2, ck="01" * 8)

    assert gap == Batch("a", [Gap("a", EPOCH, None, None, 6, "r", 9)], CURSOR)
    assert [type(each.events[0]).__name__ for each in (rewind, end)] == ["Rewind", "Receipt"]


def test_position_of_the_server_is_confirmed_and_is_no_event():
    streams = Streams()
    streams.place(subscribed("a", alias=7))

    batch = streams.take(frame(COMMAND="POS", pos={"7": [2, "ff" * 8], "8": [1, "ff" * 8]}))

    assert batch is None
    assert not streams.tracks["a"].is_whole


def test_records_that_came_before_are_no_event():
    streams = Streams()
    streams.place(subscribed("a"))

    assert streams.take(frame(topic="a", seq=2, ts=1, data=1)) is None
