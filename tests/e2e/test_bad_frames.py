"""Frames that are no frames: told in an ERROR, closed 40xx, and never a failure of the server."""

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from tests.e2e import remote
from tests.e2e.places import DAPHNE, SQLITE
from tests.e2e.remote import assert_no_traceback, opened

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.parametrize("anywhere", [SQLITE, DAPHNE], indirect=True, scope="module"),
]

DEEP = '{"a":' * 5000 + "1" + "}" * 5000
NO_FRAMES = {
    "nothing": "",
    "half an object": '{"session_token":',
    "two objects": "{}{}",
    "a list": "[]",
    "a word": '"HEARTBEAT"',
    "null": "null",
    "a number that none can hold": '{"session_token":1e999}',
    "not a number": '{"session_token":NaN}',
    "binary": b'{"session_token":"x"}',
    "no bytes": b"",
    "deep": DEEP,
    "deep list": "[" * 5000 + "]" * 5000,
    "escaped NUL": '{"session_token":"a\\u0000b"}',
    "NUL": '{"session_token":"a\x00b"}',
    "NUL key": '{"\\u0000":1,"session_token":"a"}',
    "lone surrogate": '{"session_token":"\\ud800"}',
    "lone surrogate key": '{"\\udfff":1,"session_token":"a"}',
    "twice the same key": '{"session_token":"a","session_token":"b"}',
    "token of another type": '{"session_token":5}',
    "token that is an object": '{"session_token":{"a":[]}}',
    "no token": '{"topics":[]}',
    "command of another type": '{"COMMAND":{"a":1},"session_token":5}',
}
REGISTERED = {
    "control": [
        *[text for name, text in NO_FRAMES.items() if name != "two objects"],
        '{"COMMAND":5}',
        '{"COMMAND":["READY"]}',
        '{"COMMAND":"REFRESH"}',
        '{"COMMAND":"REFRESH","session_token":[]}',
        '{"COMMAND":"ERROR","temporary":"yes"}',
        '{"COMMAND":"ERROR","message":{}}',
        '{"COMMAND":"REGISTER","session_token":"x","topics":"all"}',
        '{"COMMAND":"REGISTER","session_token":"x","proto":[]}',
        '{"COMMAND":"REGISTER","session_token":"x","component_id":"me"}',
    ],
    "data": [
        # What has no COMMAND is a command that is not known, which ends nothing.
        *[text for name, text in NO_FRAMES.items() if "token" not in name],
        '{"COMMAND":5}',
        '{"COMMAND":"SUBSCRIBE"}',
        '{"COMMAND":"SUBSCRIBE","topics":"a"}',
        '{"COMMAND":"SUBSCRIBE","topics":[5]}',
        '{"COMMAND":"SUBSCRIBE","topics":[{"topic":"a","cursor":5}]}',
        '{"COMMAND":"SUBSCRIBE","topics":[{"topic":"a","from":"tomorrow"}]}',
        '{"COMMAND":"SUBSCRIBE","topics":["a"],"id":{}}',
        '{"COMMAND":"UNSUBSCRIBE","topics":{}}',
        '{"COMMAND":"COMMIT","pos":[]}',
        '{"COMMAND":"COMMIT","pos":{"a":-1}}',
        '{"COMMAND":"COMMIT","pos":{"a":1e400}}',
        '{"COMMAND":"PAUSE"}',
        '{"COMMAND":"PUBLISH"}',
        '{"COMMAND":"PUBLISH","topic":"a"}',
        '{"COMMAND":"PUBLISH","topic":5,"data":1}',
        '{"COMMAND":"PUBLISH","topic":"a","data":1,"msgs":[1]}',
        '{"COMMAND":"PUBLISH","topic":"a","msgs":[]}',
        '{"COMMAND":"PUBLISH","topic":"a","data":"\\u0000"}',
        '{"COMMAND":"PUBLISH","topic":"a","data":"\\ud800"}',
        '{"COMMAND":"PUBLISH","topic":"a","data":' + DEEP + "}",
        '{"COMMAND":"PUBLISH","topic":"a","data":1e999}',
    ],
}
OVERSIZE = {"control": 70_000, "data": 1_100_000}


@pytest.fixture(scope="module")
def server(anywhere):
    # Nobody is lost here for being slow: each connection is to end for its frame alone.
    with anywhere.serve(AEGIS_LOST_SECONDS="60", AEGIS_GRACE_SECONDS="60") as running:
        yield running
        assert_no_traceback(running)


@pytest.fixture(scope="module")
def token(server):
    answer = remote.send(server, "POST", "/api/v1/sessions", {"token": True})
    return answer.body["session_token"]


async def registered(control, data, token):
    """Bring both sockets behind their hello."""
    await control.say({"session_token": token, "topics": [], "proto": {"v": 1}})
    component_id = (await control.hear("ACK"))["component_id"]
    await data.say({"session_token": token, "component_id": component_id})
    await data.hear("ACK")


def ends_properly(socket):
    """Whether the last frame is an ERROR and the close code one of those that do not come back."""
    last = socket.frames[-1] if socket.raw else {}
    return last.get("COMMAND") == "ERROR" and socket.code is not None and 4000 <= socket.code < 4100


@pytest.mark.parametrize("path", ["control", "data"])
async def test_first_frames_that_are_none_are_answered_and_closed(server, path):
    for name, frame in NO_FRAMES.items():
        async with opened(server, path) as socket:
            await socket.say(frame)
            code = await socket.closed()

            assert (name, code) == (name, 4000)
            assert (name, ends_properly(socket)) == (name, True)


@pytest.mark.parametrize("path", ["control", "data"])
async def test_frames_behind_the_hello_that_are_none_are_answered_and_closed(server, token, path):
    for frame in REGISTERED[path]:
        async with opened(server, "control") as control, opened(server, "data") as data:
            await registered(control, data, token)
            socket = control if path == "control" else data
            await socket.say(frame)
            code = await socket.closed()

            assert (frame, code) == (frame, 4000)
            assert (frame, ends_properly(socket)) == (frame, True)


@pytest.mark.parametrize("is_registered", [False, True], ids=["first", "later"])
@pytest.mark.parametrize("path", ["control", "data"])
async def test_oversize_frames_are_answered_and_closed(server, token, path, is_registered):
    async with opened(server, "control") as control, opened(server, "data") as data:
        if is_registered:
            await registered(control, data, token)
        socket = control if path == "control" else data
        await socket.say({"session_token": "x" * OVERSIZE[path], "COMMAND": "PUBLISH"})
        code = await socket.closed()

        assert code == 4008
        assert ends_properly(socket)
        assert socket.frames[-1]["code"] == "PAYLOAD_TOO_LARGE"


@pytest.mark.parametrize("path", ["control", "data"])
async def test_what_is_no_text_or_far_too_large_is_closed_by_the_server_program(server, path):
    for frame in (b"\xff\xfe{", b'"' + bytes(3_000_000) + b'"'):
        async with opened(server, path) as socket:
            # A server may close while this is still on its way.
            with contextlib.suppress(ConnectionClosed):
                await socket.connection.send(frame, text=True)

            assert await socket.closed() in {1006, 1007, 1009, 4000, 4008}


async def test_unknown_commands_and_second_hellos_are_answered_and_change_nothing(server, token):
    async with opened(server, "control") as control, opened(server, "data") as data:
        await registered(control, data, token)
        for socket in (control, data):
            await socket.say({"COMMAND": "FLY", "topics": []})
            unknown = await socket.hear("ERROR")
            await socket.say({"session_token": token, "topics": []})
            twice = await socket.hear("ERROR")

            assert (unknown["code"], unknown["ref"]) == ("UNKNOWN_COMMAND", "FLY")
            assert twice["code"] in {"INVALID_STATE", "UNKNOWN_COMMAND"}
        await data.say({"COMMAND": "SUBSCRIBE", "id": 7, "topics": ["still.here"]})
        await control.say({"COMMAND": "READY"})

        assert (await data.hear("SUBSCRIBED"))["id"] == 7
        assert (control.code, data.code) == (None, None)


async def test_tokens_that_open_nothing_are_told_so(server, token):
    for path in ("control", "data"):
        for text in ("", "aeg_0000000000_nothing", token + "x", "ü" * 100):
            async with opened(server, path) as socket:
                await socket.say({"session_token": text, "topics": []})

                assert await socket.closed() == 4001
                assert socket.frames[-1]["code"] == "TOKEN_INVALID"


async def test_sockets_that_say_nothing_are_closed_after_ten_seconds(server):
    async with opened(server, "control") as control, opened(server, "data") as data:
        codes = [await control.closed(), await data.closed()]

        assert codes == [4009, 4009]
        assert [control.frames[-1]["code"], data.frames[-1]["code"]] == ["HELLO_MISSING"] * 2


# Whatever comes

WORDS = ["", "REGISTER", "READY", "HEARTBEAT", "REFRESH", "WAIT", "ERROR", "SUBSCRIBE", "PUBLISH"]
WORDS += ["UNSUBSCRIBE", "COMMIT", "PAUSE", "RESUME", "FLY", "ready", "Publish"]
KEYS = ["topics", "topic", "data", "msgs", "id", "pos", "cursor", "from", "policy", "name", "role"]
KEYS += ["proto", "capabilities", "component_id", "code", "message", "temporary", "type", "command"]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
members = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=6), values, max_size=5)
objects = st.builds(
    lambda word, rest: json.dumps({"COMMAND": word, **rest}), st.sampled_from(WORDS), members
)
mangled = st.builds(
    lambda text, at, junk: text[:at] + junk + text[at + len(junk) :],
    objects,
    st.integers(0, 60),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)
anything = objects | mangled | values.map(json.dumps) | st.binary(max_size=40)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(frames=st.lists(anything, min_size=1, max_size=4), path=st.sampled_from(["control", "data"]))
async def test_whatever_is_said_the_server_answers_frames_and_proper_codes(
    server, token, frames, path
):
    async with opened(server, "control") as control, opened(server, "data") as data:
        await registered(control, data, token)
        socket = control if path == "control" else data
        with contextlib.suppress(ConnectionClosed):
            for frame in [*frames, "this is the end"]:
                await socket.say(frame)
        code = await socket.closed()

        assert code in {1000, 4000, 4001, 4003, 4008}
        assert all(isinstance(frame, dict) for frame in socket.frames)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(frame=anything, path=st.sampled_from(["control", "data"]))
async def test_whatever_is_said_first_the_server_answers_an_error(server, frame, path):
    async with opened(server, path) as socket:
        await socket.say(frame)

        assert await socket.closed() in {4000, 4001, 4008}
        assert ends_properly(socket)
