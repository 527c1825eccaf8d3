import pytest

from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed
from components.core import frames, messages
from components.core.lifecycle import Role

ID = "7f0c5ab0-3b6e-4c1e-9f4b-5a4f0a1f6f77"


def read(**frame):
    return frames.read(frame)


def test_seed_register_is_read():
    register = read(session_token="t", topics=["klines.BTCUSDT.1m", "orderbook.BTCUSDT"])

    assert register == messages.Register(
        session_token="t", topics=("klines.BTCUSDT.1m", "orderbook.BTCUSDT")
    )


def test_full_register_is_read():
    register = read(
        COMMAND="register",
        session_token="t",
        topics=["a", "b", "a"],
        name=" feed ",
        component_id=ID.upper(),
        role="FEED",
        version="1.2",
        capabilities={"x": 1},
        proto={"v": 2, "batch": True, "window": 64, "proof": True},
        something="else",
    )

    assert register == messages.Register(
        session_token="t",
        topics=("a", "b"),
        name="feed",
        component_id=ID,
        role=Role.FEED,
        version="1.2",
        capabilities={"x": 1},
        proto=messages.Proto(v=2, batch=True, window=64),
    )


def test_register_takes_null_and_empty_as_absent():
    register = read(
        session_token="t",
        topics=None,
        name=None,
        component_id="",
        role="",
        capabilities=None,
        proto=None,
    )

    assert register == messages.Register(session_token="t")


def test_proto_is_written_as_it_is_read():
    proto = messages.Proto(v=1, batch=True, window=5)

    register = frames.read({"session_token": "t", "proto": proto.as_dict()})

    assert register == messages.Register(session_token="t", proto=proto)


@pytest.mark.parametrize(
    ("field", "frame"),
    [
        ("session_token", {}),
        ("session_token", {"session_token": 5}),
        ("session_token", {"session_token": "x" * 4097}),
        ("topics", {"session_token": "t", "topics": "klines"}),
        ("topics", {"session_token": "t", "topics": [1]}),
        ("topics", {"session_token": "t", "topics": ["a"] * 1001}),
        ("name", {"session_token": "t", "name": 1}),
        ("name", {"session_token": "t", "name": "n" * 129}),
        ("component_id", {"session_token": "t", "component_id": "nobody"}),
        ("component_id", {"session_token": "t", "component_id": 7}),
        ("role", {"session_token": "t", "role": "boss"}),
        ("capabilities", {"session_token": "t", "capabilities": []}),
        ("proto", {"session_token": "t", "proto": True}),
        ("proto.v", {"session_token": "t", "proto": {"v": "1"}}),
        ("proto.v", {"session_token": "t", "proto": {"v": True}}),
        ("proto.window", {"session_token": "t", "proto": {"window": -1}}),
        ("batch", {"session_token": "t", "proto": {"batch": 1}}),
        ("session_token", {"COMMAND": "REFRESH"}),
        ("COMMAND", {"COMMAND": 5}),
        ("temporary", {"COMMAND": "ERROR", "temporary": "no"}),
        ("message", {"COMMAND": "ERROR", "message": ["no"]}),
    ],
)
def test_wrong_field_is_named(field, frame):
    with pytest.raises(ValidationFailed) as refusal:
        frames.read(frame)

    assert refusal.value.details == {"field": field}


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"COMMAND": "READY"}, messages.Ready()),
        ({"command": "ready"}, messages.Ready()),
        ({"Command": "Ready"}, messages.Ready()),
        ({"COMMAND": "HEARTBEAT", "n": 4}, messages.Heartbeat()),
        ({"COMMAND": "REFRESH", "session_token": "new"}, messages.Refresh("new")),
        ({"COMMAND": "WAIT"}, messages.Wait()),
        ({"COMMAND": "HEARTBEAT", "n": 3, "id": "a"}, messages.Heartbeat("a")),
        ({"COMMAND": "FINISHED"}, messages.Finished()),
        ({"COMMAND": "RESULT", "id": "c", "result": [1]}, messages.Result(id="c", value=[1])),
        (
            {"COMMAND": "RESULT", "id": "c", "error": {"message": "no"}},
            messages.Result(id="c", error={"code": "COMPONENT_ERROR", "message": "no"}),
        ),
        ({"COMMAND": "ERROR"}, messages.Fault("COMPONENT_ERROR")),
        (
            {"COMMAND": "ERROR", "code": "X", "message": "m" * 3000, "temporary": True},
            messages.Fault("X", "m" * 2000, temporary=True),
        ),
        ({"COMMAND": "dance"}, messages.Unknown("DANCE")),
    ],
)
def test_commands_are_read_in_any_case(frame, message):
    assert frames.read(frame) == message


def test_frame_of_text_is_parsed():
    assert frames.parse('{"COMMAND":"READY","é":1}') == {"COMMAND": "READY", "é": 1}


@pytest.mark.parametrize("raw", [b'{"COMMAND":"READY"}', "[]", "{", '"x"', "\ud800", "[" * 9999])
def test_anything_but_one_object_in_text_is_refused(raw):
    with pytest.raises(ValidationFailed):
        frames.parse(raw)


def test_size_counts_in_bytes():
    with pytest.raises(PayloadTooLarge):
        frames.parse('{"name":"' + "é" * 32_768 + '"}')


def test_answers_have_the_fields_of_the_protocol():
    written = [
        frames.ack(
            component_id=ID,
            name="feed",
            session_id="s",
            data_socket="/ws/data",
            heartbeat_seconds=5,
            topics=("a",),
        ),
        frames.heartbeat(3),
        frames.state(session="running", component="ready"),
        frames.notice("WAITING_FOR", "Later.", waiting_for="data_socket"),
        frames.drain(1730),
        frames.token_expiring(1767139200000),
    ]

    assert written == [
        {
            "COMMAND": "ACK",
            "component_id": ID,
            "name": "feed",
            "session_id": "s",
            "data_socket": "/ws/data",
            "heartbeat_seconds": 5,
            "topics": ["a"],
        },
        {"COMMAND": "HEARTBEAT", "n": 3},
        {"COMMAND": "STATE", "session": "running", "component": "ready"},
        {
            "COMMAND": "NOTICE",
            "code": "WAITING_FOR",
            "message": "Later.",
            "waiting_for": "data_socket",
        },
        {"COMMAND": "DRAIN", "retry_ms": 1730},
        {"COMMAND": "TOKEN_EXPIRING", "exp": 1767139200000},
    ]


@pytest.mark.parametrize("fields", [{}, {"id": 7}, {"id": "c", "error": "no"}])
def test_a_result_is_of_a_call_and_its_error_an_object(fields):
    with pytest.raises(ValidationFailed):
        read(COMMAND="RESULT", **fields)


def test_a_call_is_written_with_its_key():
    frame = frames.call(id_="c", tool="weigh", arguments={"n": 1}, effect_key="k", timeout_ms=5)

    assert frame == {
        "COMMAND": "CALL",
        "id": "c",
        "tool": "weigh",
        "arguments": {"n": 1},
        "effect_key": "k",
        "timeout_ms": 5,
    }


def test_what_is_asked_beside_tools_has_an_id_that_comes_back():
    assert frames.heartbeat(3) == {"COMMAND": "HEARTBEAT", "n": 3}
    assert frames.heartbeat(0, id_="a") == {"COMMAND": "HEARTBEAT", "n": 0, "id": "a"}
    assert frames.log_level(id_="b", level="DEBUG") == {
        "COMMAND": "LOG_LEVEL",
        "id": "b",
        "level": "DEBUG",
    }
