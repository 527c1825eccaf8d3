import hashlib

import pytest

from aegis_project.kit.errors import ValidationFailed
from streaming.core import position
from streaming.core.position import Cursor, Position

EPOCH = "0123456789abcdef"
CK = "00ff00ff00ff00ff"


def test_genesis_covers_topic_and_epoch():
    expected = hashlib.sha256("klines.ü".encode() + b"\x00" + EPOCH.encode()).digest()[:8]

    assert position.genesis("klines.ü", EPOCH) == expected


def test_chain_covers_the_value_before_the_seq_and_the_data_as_they_stand():
    before = bytes(range(8))
    data = b'{"a": 1}'

    expected = hashlib.sha256(before + (7).to_bytes(8, "big") + data).digest()[:8]

    assert position.chain(before, 7, data) == expected


def test_chain_all_is_one_link_after_the_other():
    start = position.genesis("t", EPOCH)

    by_hand = position.chain(position.chain(start, 1, b"1"), 2, b"2")

    assert position.chain_all(start, 1, [b"1", b"2"]) == by_hand


def test_position_is_written_as_text_and_read_back():
    place = Position(EPOCH, 42, bytes.fromhex(CK))

    text = str(place)

    assert text == f"{EPOCH}:42:{CK}"
    assert position.parse(text) == Cursor(EPOCH, 42, bytes.fromhex(CK))
    assert place.as_dict() == {"epoch": EPOCH, "seq": 42, "ck": CK}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1:2",
        f"{EPOCH}:x:{CK}",
        f"{EPOCH}:-1:{CK}",
        f"{EPOCH}:{10**17}:{CK}",
        f"{EPOCH}:{2**53}:{CK}",
        f"{EPOCH[:-1]}:1:{CK}",
        f"{EPOCH.upper()}:1:{CK}",
        f"{EPOCH}:1:{CK}0",
        f"{EPOCH}:٣:{CK}",
    ],
)
def test_malformed_text_is_no_position(text):
    with pytest.raises(ValidationFailed):
        position.parse(text)


def test_cursor_is_read_from_a_frame_with_its_trail_in_order():
    frame = {"epoch": EPOCH, "seq": 9, "ck": CK, "trail": [[8, CK], [3, CK]]}

    cursor = position.read(frame)

    ck = bytes.fromhex(CK)
    assert cursor == Cursor(EPOCH, 9, ck, ((3, ck), (8, ck)))
    assert position.read({**frame, "trail": None}).trail == ()


@pytest.mark.parametrize(
    "frame",
    [
        None,
        [],
        {},
        {"epoch": EPOCH, "seq": True, "ck": CK},
        {"epoch": EPOCH, "seq": -1, "ck": CK},
        {"epoch": EPOCH, "seq": 2**53, "ck": CK},
        {"epoch": 1, "seq": 1, "ck": CK},
        {"epoch": EPOCH, "seq": 1, "ck": None},
        {"epoch": EPOCH, "seq": 1, "ck": CK, "trail": {}},
        {"epoch": EPOCH, "seq": 1, "ck": CK, "trail": [[1, CK]] * 65},
        {"epoch": EPOCH, "seq": 1, "ck": CK, "trail": [1]},
        {"epoch": EPOCH, "seq": 1, "ck": CK, "trail": [[1, CK, 2]]},
    ],
)
def test_malformed_cursor_is_refused(frame):
    with pytest.raises(ValidationFailed):
        position.read(frame)
