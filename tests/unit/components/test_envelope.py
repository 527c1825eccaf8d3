import json

import pytest

from components.core import effects
from components.core.admission import Admission
from components.core.effects import Close
from components.core.envelope import REQUIRED, topics
from components.core.handshake import Handshake
from components.core.messages import Fault, Register
from streaming.core import errors

AT, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:01:30.500Z"
CAPABILITIES = {
    "supported_symbols": ["BTCUSDT"],
    "supported_timeframes": ["1m", "5m"],
    "requires_streams": ["klines", "trades"],
}
TOPICS = ("klines.BTCUSDT.1m", "klines.BTCUSDT.5m", "trades.BTCUSDT")


def envelope(kind, command, payload, *, message_id="m1"):
    return json.dumps(
        {
            "protocol_version": "0.1",
            "message_id": message_id,
            "correlation_id": None,
            "timestamp": AT,
            "source": "component:sma",
            "target": "aegis",
            "type": kind,
            "command": command,
            "payload": payload,
        }
    )


def first_frame(done):
    (reply, *_) = (effect for effect in done if isinstance(effect, effects.Reply))
    return reply.frame


REGISTER = envelope(
    "LIFECYCLE",
    "REGISTER",
    {
        "session_token": "t",
        "component_name": "sma",
        "version": "1",
        "capabilities": CAPABILITIES,
    },
)


class Connection:
    """An edge that answers every register and keeps what it would have sent."""

    def __init__(self):
        self.handshake = Handshake(now=0)
        self.sent = []
        self.done = []
        self.at = AT

    def receive(self, raw):
        self.perform(self.handshake.receive(raw, now=1))

    def perform(self, done):
        for effect in done:
            if isinstance(effect, effects.Reply):
                text = self.handshake.write(effect.frame, at=self.at)
                self.sent.append(None if text is None else json.loads(text))
            else:
                self.done.append(effect)
            if isinstance(effect, effects.Authenticate):
                admission = Admission(component_id="c1", name="sma", session_id="s1", topics=TOPICS)
                self.perform(self.handshake.admit(admission, now=1))

    def said(self):
        return [
            frame and (frame["type"], frame["command"], frame["correlation_id"], frame["payload"])
            for frame in self.sent
        ]


def test_whole_start_in_the_older_spelling():
    connection = Connection()

    connection.receive(REGISTER)
    connection.receive(envelope("LIFECYCLE", "STATE_UPDATE", {"state": "INITIALIZING"}))
    connection.receive(envelope("LIFECYCLE", "STATE_UPDATE", {"state": "READY"}, message_id="m2"))
    connection.perform(connection.handshake.attach_data())
    connection.receive(envelope("CONTROL", "ACK", {"status": "ok"}))
    connection.receive(envelope("LIFECYCLE", "STATE_UPDATE", {"state": "RUNNING"}, message_id="m3"))

    assert connection.done == [
        effects.Authenticate(
            Register(
                session_token="t",
                topics=TOPICS,
                name="sma",
                version="1",
                capabilities=CAPABILITIES,
            )
        ),
        effects.MarkReady(),
    ]
    registered = {"component_id": "c1", "session_id": "s1", "state": "REGISTERED"}
    configuration = {"data_stream_socket": "/ws/data", "topics": list(TOPICS)}
    assert connection.said() == [
        ("LIFECYCLE", "REGISTERED", "m1", registered),
        ("CONTROL", "ACK", "m1", {"status": "ok"}),
        ("CONTROL", "ACK", "m2", {"status": "ok"}),
        ("CONFIG", "CONFIGURE", None, configuration),
        ("CONTROL", "ACK", "m3", {"status": "ok"}),
    ]


def test_envelopes_that_are_written_are_complete():
    connection = Connection()

    connection.receive(REGISTER)

    assert connection.sent == [
        {
            "protocol_version": "0.1.0",
            "message_id": "m1-1",
            "correlation_id": "m1",
            "timestamp": AT,
            "source": "aegis",
            "target": "component:sma",
            "type": "LIFECYCLE",
            "command": "REGISTERED",
            "payload": {"component_id": "c1", "session_id": "s1", "state": "REGISTERED"},
        }
    ]


def test_heartbeats_are_ping_and_pong_and_make_the_component_judged():
    connection = Connection()
    connection.receive(REGISTER)
    connection.sent.clear()

    connection.perform(connection.handshake.tick(now=6))
    connection.receive(envelope("HEARTBEAT", "PONG", {"state": "RUNNING"}))
    connection.receive(envelope("HEARTBEAT", "PING", {}))
    connection.perform(connection.handshake.tell(session="running", component="running"))
    connection.at = LATER
    connection.receive(envelope("HEARTBEAT", "PING", {}))

    assert [one for one in connection.said() if one] == [
        ("HEARTBEAT", "PING", None, {}),
        ("HEARTBEAT", "PONG", None, {"state": "REGISTERED", "uptime_seconds": 0.0}),
        ("HEARTBEAT", "PONG", None, {"state": "RUNNING", "uptime_seconds": 90.5}),
    ]
    assert connection.handshake.is_judged


@pytest.mark.parametrize(
    ("kind", "command", "payload", "effect"),
    [
        ("LIFECYCLE", "SHUTDOWN", {}, effects.Finish()),
        ("LIFECYCLE", "STATE_UPDATE", {"state": "FINISHED"}, effects.Finish()),
        (
            "LIFECYCLE",
            "STATE_UPDATE",
            {"state": "ERROR", "message": "m"},
            effects.Report(Fault("COMPONENT_ERROR", "m")),
        ),
        (
            "ERROR",
            "RUNTIME_ERROR",
            {"code": "E", "message": "m", "recoverable": True},
            effects.Report(Fault("E", "m", temporary=True)),
        ),
    ],
)
def test_endings_are_understood_and_acknowledged(kind, command, payload, effect):
    connection = Connection()
    connection.receive(REGISTER)
    connection.done.clear()

    connection.receive(envelope(kind, command, payload, message_id="m9"))

    assert connection.done == [effect]
    assert connection.said()[-1] == ("CONTROL", "ACK", "m9", {"status": "ok"})


def test_refusals_before_and_after_registration_have_their_own_command():
    refused = Handshake(now=0)
    refused.receive(REGISTER, now=0)
    before = json.loads(
        refused.write(first_frame(refused.refuse(errors.TokenInvalid())), at=AT) or ""
    )
    connection = Connection()
    connection.receive(REGISTER)

    connection.receive(envelope("CONTROL", "DANCE", {}))

    assert (before["command"], before["correlation_id"], before["payload"]["code"]) == (
        "REGISTRATION_FAILED",
        "m1",
        "MISSING_SESSION_TOKEN",
    )
    assert connection.said()[-1] == (
        "ERROR",
        "RUNTIME_ERROR",
        None,
        {
            "code": "UNKNOWN_COMMAND",
            "message": "The server does not know this COMMAND.",
            "recoverable": False,
            "details": {"command": "DANCE"},
        },
    )


def test_frame_without_a_word_in_the_older_spelling_is_left_out():
    connection = Connection()
    connection.receive(REGISTER)

    assert connection.handshake.write({"COMMAND": "NOTICE", "code": "draining"}, at=AT) is None


def test_release_is_a_shutdown_and_frames_without_a_word_are_left_out():
    connection = Connection()
    connection.receive(REGISTER)
    connection.sent.clear()

    connection.perform(connection.handshake.tell(session="running", component="running"))
    connection.perform(connection.handshake.release(is_over=False))

    assert connection.said() == [None, ("LIFECYCLE", "SHUTDOWN", None, {})]
    assert connection.done[-1] == Close(errors.CloseCode.NORMAL, both=True)


@pytest.mark.parametrize("field", [*REQUIRED, "payload"])
@pytest.mark.parametrize("is_registered", [False, True])
def test_missing_part_of_an_envelope_is_named(field, is_registered):
    connection = Connection()
    if is_registered:
        connection.receive(REGISTER)
    lacking = {name: value for name, value in json.loads(REGISTER).items() if name != field}

    connection.receive(json.dumps(lacking))

    refusal = connection.sent[-1]["payload"]
    assert (refusal["code"], refusal["message"]) == ("INVALID_ENVELOPE", f"MISSING_{field.upper()}")
    assert Close(errors.CloseCode.PROTOCOL) in connection.done


@pytest.mark.parametrize(
    ("command", "payload", "code"),
    [
        ("REGISTER", {"component_name": "sma"}, "MISSING_SESSION_TOKEN"),
        ("REGISTER", {"component_name": "sma", "session_token": ""}, "MISSING_SESSION_TOKEN"),
        ("REGISTER", {"session_token": "t"}, "MISSING_COMPONENT_NAME"),
        ("REGISTER", {"session_token": 5, "component_name": "sma"}, "INVALID_PAYLOAD"),
        ("STATE_UPDATE", {}, "INVALID_PAYLOAD"),
    ],
)
def test_wrong_payload_has_the_code_of_the_older_protocol(command, payload, code):
    connection = Connection()

    connection.receive(envelope("LIFECYCLE", command, payload))

    refusal = connection.sent[-1]
    assert (refusal["command"], refusal["payload"]["code"]) == ("REGISTRATION_FAILED", code)


def test_refused_register_is_answered_to_its_message_and_text_that_is_none_is_told():
    connection = Connection()
    connection.receive(REGISTER)
    connection.receive(REGISTER)
    again = connection.sent[-1]
    connection.receive("{")
    broken = connection.sent[-1]

    assert (again["command"], again["payload"]["code"]) == (
        "ALREADY_REGISTERED",
        "UNEXPECTED_STATE",
    )
    assert (broken["command"], broken["payload"]["code"]) == ("RUNTIME_ERROR", "DECODE_ERROR")


def test_session_that_is_over_is_a_shutdown():
    connection = Connection()
    connection.receive(REGISTER)

    connection.perform(connection.handshake.release(is_over=True))

    assert connection.sent[-1]["command"] == "SHUTDOWN"
    assert connection.done[-1] == Close(errors.CloseCode.SESSION_OVER, both=True)


def test_flat_register_of_the_oldest_documents_is_read():
    flat = {
        "session_token": "t",
        "component_name": "sma",
        "supported_symbols": ["BTCUSDT"],
        "requires": ["klines", "orderbook"],
        "supported_timeframes": ["1m"],
    }

    done = Handshake(now=0).receive(json.dumps(flat), now=1)

    wanted = ("klines.BTCUSDT.1m", "orderbook.BTCUSDT")
    assert done == [effects.Authenticate(Register("t", topics=wanted, name="sma"))]


@pytest.mark.parametrize(
    ("capabilities", "names"),
    [
        (None, []),
        ({}, []),
        ({"requires_streams": "klines"}, []),
        (
            {"requires_streams": ["trades"], "supported_symbols": ["A", 1, "B"]},
            ["trades.A", "trades.B"],
        ),
        (
            {
                "requires_streams": ["orderBook"],
                "supported_symbols": ["A"],
                "supported_orderbook_speeds": ["100ms"],
            },
            ["orderbook.A.100ms"],
        ),
        ({"requires_streams": ["orderBook"], "supported_symbols": ["A"]}, ["orderbook.A"]),
    ],
)
def test_topics_are_the_cross_product_of_capabilities(capabilities, names):
    assert topics(capabilities) == names
