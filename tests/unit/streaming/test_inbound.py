import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_project.kit import strict
from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed
from streaming.core import inbound
from streaming.core.errors import ProtocolError
from streaming.core.messages import (
    Commit,
    Hold,
    Note,
    Publish,
    Request,
    Subscribe,
    Unknown,
    Unsubscribe,
)
from streaming.core.position import Cursor
from streaming.core.resume import Start

EPOCH, CK = "e" * 16, "00ff00ff00ff00ff"


def frame(**fields):
    return json.dumps(fields)


# PUBLISH


@pytest.mark.parametrize("key", ["COMMAND", "command", "Command"])
@pytest.mark.parametrize("word", ["PUBLISH", "publish", "Publish"])
def test_publish_is_known_in_any_case(key, word):
    text = frame(**{key: word, "topic": "a.b", "data": 1, "id": 7})

    assert inbound.decode(text) == Publish(7, "a.b", [b"1"])


def test_data_of_a_publish_stay_byte_for_byte_as_they_stand():
    data = '{ "a" :\t[1.0, 1e2,\n "\\u00e9é"], "b":{ } }'

    found = inbound.decode('{"COMMAND":"PUBLISH","more":[{}],"topic":"t","data": ' + data + " }")

    assert found == Publish(None, "t", [data.encode()])


def test_several_messages_are_published_in_their_order():
    text = '{"COMMAND":"PUBLISH","topic":"t","id":"x","msgs":[1, {"b": 2} ,"c"]}'

    assert inbound.decode(text) == Publish("x", "t", [b"1", b'{"b": 2}', b'"c"'])


@pytest.mark.parametrize(
    ("fields", "producer"),
    [
        ({"n": 0}, ("", 0, 0)),
        (
            {"n": 2**53 - 1, "producer": "feed:a.b-1", "producer_epoch": 7},
            ("feed:a.b-1", 7, 2**53 - 1),
        ),
        ({"n": None}, None),
    ],
)
def test_producer_says_what_it_publishes_for_the_how_manieth_time(fields, producer):
    text = frame(COMMAND="PUBLISH", topic="t", data=1, **fields)

    assert inbound.decode(text) == Publish(None, "t", [b"1"], producer)


@pytest.mark.parametrize(
    "fields",
    [
        {"data": 1},
        {"topic": "", "data": 1},
        {"topic": "t" * 256, "data": 1},
        {"topic": 5, "data": 1},
        {"topic": "t"},
        {"topic": "t", "data": 1, "msgs": [1]},
        {"topic": "t", "msgs": []},
        {"topic": "t", "msgs": 1},
        {"topic": "t", "data": 1, "id": True},
        {"topic": "t", "data": 1, "id": 1.5},
        {"topic": "t", "data": 1, "id": "x" * 65},
        {"topic": "t", "data": 1, "id": 2**53},
        {"topic": "t", "data": 1, "producer": "p"},
        {"topic": "t", "data": 1, "producer_epoch": 1},
        {"topic": "t", "data": 1, "n": -1},
        {"topic": "t", "data": 1, "n": 2**53},
        {"topic": "t", "data": 1, "n": "1"},
        {"topic": "t", "data": 1, "n": 1, "producer": "a b"},
        {"topic": "t", "data": 1, "n": 1, "producer": "p" * 65},
        {"topic": "t", "data": 1, "n": 1, "producer": 5},
        {"topic": "t", "data": 1, "n": 1, "producer_epoch": -1},
    ],
)
def test_publish_of_the_wrong_form_is_refused(fields):
    with pytest.raises(ValidationFailed):
        inbound.decode(frame(COMMAND="PUBLISH", **fields))


UNSOUND = [
    "NaN",
    "-Infinity",
    "01",
    "{",
    "[1,]",
    "'a'",
    '"\x00"',
    r'"\u0000"',
    r'"a\\\u0000"',
    r'{"\u0000":1}',
    r'"\ud800"',
    r'"\ud800 tail of text"',
    r'"\udc00\ud800"',
    '"\ud800"',
    "[" * 64 + "]" * 64,
    "[" * 100_000,
    '{"a":' * 64 + "1" + "}" * 64,
    '[[["]]]",' * 30 + "1" + "]]]" * 30,
    '["\\"]",' * 70 + "1" + "]" * 70,
    "1e999",
    "-1E+400",
    "18446744073709551616",
]


@pytest.mark.parametrize("data", UNSOUND, ids=range(len(UNSOUND)))
def test_unsound_data_are_refused(data):
    with pytest.raises(ValidationFailed):
        inbound.decode('{"COMMAND":"PUBLISH","topic":"t","data":' + data + "}")


SOUND = [
    r'"\\u0000"',
    r'"\\\\u0000"',
    r'"\u0001"',
    r'"\ud83d\ude00"',
    "[" * 63 + "]" * 63,
    "[" + ",".join(["[]"] * 1000) + "]",
    '["[[[",' + ",".join(['"]{"'] * 100) + "]",
    '["\\"[[",' + ",".join(['"\\"{"'] * 100) + "]",
    "[" + ",".join(['["64000.10","0.5"]'] * 100) + "]",
    '["1e999", "18446744073709551616", 0.123456789012345678901, 18446744073709551615, 1e300]',
]


@pytest.mark.parametrize("data", SOUND, ids=range(len(SOUND)))
def test_sound_data_are_taken_whatever_they_look_like(data):
    found = inbound.decode('{"COMMAND":"PUBLISH","topic":"t","data":' + data + "}")

    assert found == Publish(None, "t", [data.encode()])


json_texts = st.text(alphabet='[]{}",:\\u01d8aeE+-. \n', max_size=40)


@given(json_texts)
def test_what_is_taken_is_what_strict_decoding_takes(text):
    raw = '{"COMMAND":"PUBLISH","topic":"t","data":' + text + "}"

    def is_taken(decode):
        try:
            decode()
        except ValidationFailed as error:
            # The fast path does not look for a key twice in one object, and that is all.
            return "twice" in error.message
        return True

    is_sound = is_taken(lambda: strict.decode(raw, max_bytes=inbound.MAX_BYTES))
    assert is_taken(lambda: inbound.decode(raw)) == is_sound


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(alphabet='[]{}"\\aé'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab]"), inner),
    max_leaves=80,
)


def depth(value):
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(values, st.integers(0, 80))
def test_nesting_is_measured_exactly(value, wrapped):
    for _ in range(wrapped):
        value = [value, "]"]
    text = frame(COMMAND="PUBLISH", topic="t", data=value)

    if depth(value) + 1 > 64:
        with pytest.raises(ValidationFailed):
            inbound.decode(text)
    else:
        assert isinstance(inbound.decode(text), Publish)


# Frames as such


@pytest.mark.parametrize("text", [None, b"{}"])
def test_binary_frame_is_a_protocol_error(text):
    with pytest.raises(ProtocolError):
        inbound.decode(text)


@pytest.mark.parametrize("letter", ["a", "é"])
def test_frame_of_more_than_a_mebibyte_is_too_large(letter):
    with pytest.raises(PayloadTooLarge):
        inbound.decode(letter * (1 + inbound.MAX_BYTES // len(letter.encode())))


@pytest.mark.parametrize("text", ["", "[]", "1", '"PUBLISH"', '{"COMMAND":5}', '{"COMMAND":"X"'])
def test_what_is_no_frame_is_refused(text):
    with pytest.raises(ValidationFailed):
        inbound.decode(text)


def test_command_that_is_not_of_this_socket_is_told_back():
    assert inbound.decode(frame(COMMAND="ready", id=3)) == Unknown("READY", 3)
    assert inbound.decode("{}") == Unknown("", None)


# The other frames


def test_subscribe_takes_names_and_objects():
    text = frame(
        COMMAND="SUBSCRIBE",
        id=1,
        topics=[
            "klines.BTC",
            {
                "topic": "book.*",
                "from": "latest-3",
                "policy": "conflate",
                "key": "symbol",
                "cursor": {"epoch": EPOCH, "seq": 4, "ck": CK, "trail": [[2, CK]]},
                "unheard": "of",
            },
        ],
    )

    ck = bytes.fromhex(CK)
    cursor = Cursor(EPOCH, 4, ck, ((2, ck),))
    assert inbound.decode(text) == Subscribe(
        1,
        (
            Request("klines.BTC"),
            Request("book.*", Start("latest", 3), cursor, "conflate", "symbol"),
        ),
    )


@pytest.mark.parametrize(
    "topics",
    [
        None,
        [],
        "a",
        [1],
        [""],
        ["t" * 256],
        ["t"] * 1001,
        [{"topic": None}],
        [{"topic": "t", "from": 1}],
        [{"topic": "t", "from": "now"}],
        [{"topic": "t", "policy": "keep"}],
        [{"topic": "t", "policy": []}],
        [{"topic": "t", "key": 1}],
        [{"topic": "t", "cursor": 1}],
    ],
)
def test_subscribe_of_the_wrong_form_is_refused(topics):
    with pytest.raises(ValidationFailed):
        inbound.decode(frame(COMMAND="SUBSCRIBE", topics=topics))


def test_frame_with_a_key_twice_is_refused():
    with pytest.raises(ValidationFailed):
        inbound.decode('{"COMMAND":"SUBSCRIBE","topics":["a"],"topics":["b"]}')


def test_unsubscribe_takes_one_topic_or_many():
    many = frame(COMMAND="UNSUBSCRIBE", id="u", topics=["a", "b.*"])

    assert inbound.decode(many) == Unsubscribe("u", ("a", "b.*"))
    assert inbound.decode(frame(COMMAND="UNSUBSCRIBE", topic="a")) == Unsubscribe(None, ("a",))


@pytest.mark.parametrize("fields", [{}, {"topics": "a"}, {"topics": ["a"] * 1001}, {"topic": 1}])
def test_unsubscribe_of_the_wrong_form_is_refused(fields):
    with pytest.raises(ValidationFailed):
        inbound.decode(frame(COMMAND="UNSUBSCRIBE", **fields))


def test_commit_takes_numbers_and_whole_positions():
    text = frame(COMMAND="COMMIT", pos={"3": 57, "klines.BTC": [58, CK]})

    assert inbound.decode(text) == Commit({"3": 57, "klines.BTC": 58})


@pytest.mark.parametrize("pos", [None, [], {"3": "1"}, {"3": -1}, {"3": True}, {"3": []}])
def test_commit_of_the_wrong_form_is_refused(pos):
    with pytest.raises(ValidationFailed):
        inbound.decode(frame(COMMAND="COMMIT", pos=pos))


def test_pause_and_resume_name_a_topic():
    assert inbound.decode(frame(COMMAND="PAUSE", topic="a")) == Hold("a", is_paused=True)
    assert inbound.decode(frame(COMMAND="RESUME", topic="a")) == Hold("a", is_paused=False)
    with pytest.raises(ValidationFailed):
        inbound.decode(frame(COMMAND="PAUSE"))


@pytest.mark.parametrize("command", ["HEARTBEAT", "ERROR"])
def test_signs_of_life_are_noted(command):
    assert inbound.decode(frame(COMMAND=command, n=1)) == Note(command)


@pytest.mark.parametrize("ref", [1.5, True, "x" * 65, [], 2**53])
def test_id_of_the_wrong_form_is_refused(ref):
    with pytest.raises(ValidationFailed):
        inbound.decode(frame(COMMAND="UNSUBSCRIBE", topic="a", id=ref))


# Hello


def test_hello_is_any_object_with_a_token():
    assert inbound.hello('{"session_token":"t","x":1}') == {"session_token": "t", "x": 1}
    assert inbound.hello('{"session_token":"t","component_id":"c"}')["component_id"] == "c"


@pytest.mark.parametrize(
    "text",
    ["{}", '{"session_token":1}', '{"session_token":"t","component_id":1}', "[]", "x", None],
)
def test_first_frame_without_a_token_is_no_hello(text):
    with pytest.raises((ProtocolError, ValidationFailed)):
        inbound.hello(text)
