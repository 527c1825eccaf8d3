import json

from streaming.core import frames, position
from streaming.core.errors import Draining, UnknownTopic
from streaming.core.position import Position
from streaming.core.resume import Gap, Placement, Rewind, Unprovable

EPOCH, CK = "e" * 16, bytes.fromhex("00ff00ff00ff00ff")
PLACED = Placement(8, CK)


def told(notice, *, is_extended=True, placed=PLACED):
    return frames.notice(
        notice, topic="t", alias=3, epoch=EPOCH, placed=placed, is_extended=is_extended
    )


def test_one_record_keeps_its_data_byte_for_byte():
    assert frames.plain(b"a.b", 43, 17, b'{ "x":1.0}', None) == (
        '{"topic":"a.b","seq":43,"ts":17,"data":{ "x":1.0}}'
    )
    assert frames.plain(b"a.b", 43, 17, b"1", 9) == (
        '{"topic":"a.b","seq":43,"ts":17,"n":9,"data":1}'
    )


def test_batch_is_one_frame_from_which_the_chain_can_be_recomputed():
    data = [b'{"a": 1}', '"é"'.encode()]
    before = position.genesis("t", EPOCH)
    ck = position.chain_all(before, 1, data)

    text = frames.batch(alias=3, first=1, ts=[5, 6], data=data, ck=ck, n=())

    assert text == (
        '{"alias":3,"first":1,"ts":[5,6],"msgs":[{"a": 1},"é"],"ck":"%s"}' % ck.hex()  # noqa: UP031
    )
    ordered = frames.batch(alias=3, first=1, ts=[5, 6], data=data, ck=ck, n=[4, 7])
    assert json.loads(ordered)["n"] == [4, 7]


def test_gap_tells_exactly_what_is_missing():
    assert told(Gap(5, 7, "overrun"), is_extended=False) == {
        "COMMAND": "GAP",
        "topic": "t",
        "alias": 3,
        "epoch": EPOCH,
        "from": 5,
        "to": 7,
        "count": 3,
        "reason": "overrun",
        "next": 8,
        "ck": CK.hex(),
    }


def test_gap_of_unknown_size_tells_both_positions_and_guesses_nothing():
    previous = Position("f" * 16, 9, CK)

    frame = told(Unprovable(previous, "epoch"), placed=Placement(8, None))

    assert frame == {
        "COMMAND": "GAP",
        "topic": "t",
        "alias": 3,
        "epoch": EPOCH,
        "from": None,
        "to": None,
        "count": None,
        "reason": "epoch",
        "next": 8,
        "ck": None,
        "prev": previous.as_dict(),
    }


def test_rewind_is_a_gap_to_those_who_do_not_know_it():
    assert told(Rewind(7, CK)) == {
        "COMMAND": "REWIND",
        "topic": "t",
        "alias": 3,
        "epoch": EPOCH,
        "to": 7,
        "ck": CK.hex(),
        "reason": "rollback",
    }
    plain = told(Rewind(7, CK), is_extended=False)
    assert (plain["COMMAND"], plain["count"], plain["next"]) == ("GAP", None, 8)


def test_error_tells_code_and_whether_it_passes():
    error = frames.error(Draining(retry_ms=5))

    assert error == {
        "COMMAND": "ERROR",
        "code": "DRAINING",
        "temporary": True,
        "message": "The server is shutting down; come back after ``retry_ms``.",
        "details": {"retry_ms": 5},
    }
    assert frames.error(UnknownTopic(), ref=0, topic="t")["ref"] == 0


def test_answers_have_the_form_of_the_protocol():
    entry = frames.entry(topic="t", alias=3, epoch=EPOCH, start=1, head=9, placed=PLACED)
    ahead = frames.entry(
        topic="t", alias=3, epoch=EPOCH, start=1, head=9, placed=Placement(20, None)
    )
    refused = frames.refused("x", UnknownTopic())

    assert json.loads(frames.encode(frames.subscribed(1, [entry], [refused]))) == {
        "COMMAND": "SUBSCRIBED",
        "id": 1,
        "topics": [
            {
                "topic": "t",
                "alias": 3,
                "epoch": EPOCH,
                "start": 1,
                "head": 9,
                "next": 8,
                "ck": CK.hex(),
                "resumed": False,
            }
        ],
        "errors": [{"topic": "x", "code": "UNKNOWN_TOPIC", "temporary": False}],
    }
    assert ahead["ck"] is None
    assert frames.unsubscribed("u", ["t"]) == {
        "COMMAND": "UNSUBSCRIBED",
        "id": "u",
        "topics": ["t"],
    }
    assert frames.published(4, "t", Position(EPOCH, 9, CK), 3) == {
        "COMMAND": "PUBLISHED",
        "id": 4,
        "topic": "t",
        "epoch": EPOCH,
        "first": 7,
        "last": 9,
    }
    assert frames.ack() == {"COMMAND": "ACK"}
    assert frames.pos({3: (9, CK)}) == {"COMMAND": "POS", "pos": {"3": [9, CK.hex()]}, "lag_ms": 0}


def test_end_is_a_receipt():
    frame = frames.end(
        topic="t", alias=3, position=Position(EPOCH, 9, CK), reason="session_stopped", final=False
    )

    assert frame == {
        "COMMAND": "END",
        "topic": "t",
        "alias": 3,
        "epoch": EPOCH,
        "seq": 9,
        "count": 9,
        "ck": CK.hex(),
        "reason": "session_stopped",
        "final": False,
    }
