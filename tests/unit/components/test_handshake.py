import json

import pytest

from components.core import effects
from components.core.admission import Admission, Phase
from components.core.effects import Close, MarkLost, Reply
from components.core.errors import ComponentNotFound
from components.core.handshake import MAX_EARLY, Handshake
from components.core.messages import Fault, Proto, Register, Result
from components.core.tokens import Expiry
from streaming.core import errors
from streaming.core import frames as outbound

SEED = '{"session_token":"t","topics":["klines.BTCUSDT.1m"]}'
EXTENDED = '{"session_token":"t","proto":{"v":1,"batch":true}}'
ADMISSION = Admission(
    component_id="c1", name="feed", session_id="s1", topics=("klines.BTCUSDT.1m",)
)
ACK = Reply(
    {
        "COMMAND": "ACK",
        "component_id": "c1",
        "name": "feed",
        "session_id": "s1",
        "data_socket": "/ws/data",
        "heartbeat_seconds": 5.0,
        "topics": ["klines.BTCUSDT.1m"],
    }
)
WAITING = Reply(
    {
        "COMMAND": "NOTICE",
        "code": "WAITING_FOR",
        "message": "READY is remembered and counts as soon as the data socket says hello.",
        "waiting_for": "data_socket",
    }
)


def say(command, **fields):
    return json.dumps({"COMMAND": command, **fields})


def told(error, **fields):
    return Reply(outbound.error(error, **fields))


def registered(raw=SEED, *, expiry=None):
    handshake = Handshake(now=0)
    handshake.receive(raw, now=0)
    admission = Admission(component_id="c1", name="feed", session_id="s1", topics=(), expiry=expiry)
    handshake.admit(admission, now=0)
    return handshake


def codes(done):
    return [effect.code for effect in done if isinstance(effect, Close)]


# Registering


def test_register_is_authenticated_and_acknowledged():
    handshake = Handshake(now=0)

    asked = handshake.receive(SEED, now=1)
    answered = handshake.admit(ADMISSION, now=2)

    assert asked == [
        effects.Authenticate(Register(session_token="t", topics=("klines.BTCUSDT.1m",)))
    ]
    assert answered == [ACK]
    assert handshake.phase is Phase.REGISTERED


def test_register_hands_on_what_the_client_asks_for():
    asked = Handshake(now=0).receive(EXTENDED, now=1)

    assert asked == [effects.Authenticate(Register(session_token="t", proto=Proto(batch=True)))]


def test_first_frame_must_be_a_register():
    handshake = Handshake(now=0)

    done = handshake.receive(say("READY"), now=1)

    assert done == [
        told(errors.ProtocolError("The first frame must be a register.")),
        Close(errors.CloseCode.PROTOCOL),
    ]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.TokenInvalid(), 4001),
        (errors.TokenExpired(), 4002),
        (errors.SessionGone(), 4004),
        (errors.SessionOver(), 4005),
        (errors.UnknownTopic(), 4010),
        (errors.OverCapacity(), 4100),
    ],
)
def test_refused_register_is_told_and_closed(error, code):
    handshake = Handshake(now=0)
    handshake.receive(SEED, now=1)

    done = handshake.refuse(error)

    assert done == [told(error), Close(errors.CloseCode(code))]


def test_silent_connection_is_closed_after_the_hello_time():
    handshake = Handshake(now=0)

    early, late = handshake.tick(now=9.9), handshake.tick(now=10)

    assert early == []
    assert late == [told(errors.HelloMissing()), Close(errors.CloseCode.NO_HELLO)]


def test_slow_authentication_is_not_the_components_fault():
    handshake = Handshake(now=0)
    handshake.receive(SEED, now=1)

    assert handshake.tick(now=100) == []


def test_second_register_on_one_connection_is_refused_and_leaves_it_open():
    done = registered().receive(SEED, now=1)

    assert [effect.frame["code"] for effect in done] == ["INVALID_STATE"]


def test_admission_of_a_connection_that_went_away_does_nothing():
    handshake = Handshake(now=0)
    handshake.receive(SEED, now=0)
    handshake.disconnect()

    assert handshake.admit(ADMISSION, now=1) == []


# Frames that come before the answer


def test_early_frames_are_taken_after_the_ack():
    handshake = Handshake(now=0)
    handshake.receive(EXTENDED, now=0)

    early = handshake.receive(say("READY"), now=1)
    answered = handshake.admit(ADMISSION, now=2)

    assert early == []
    assert answered == [ACK, WAITING]


def test_too_many_early_frames_close_the_connection():
    handshake = Handshake(now=0)
    handshake.receive(SEED, now=0)

    done = [handshake.receive(say("READY"), now=1) for _ in range(MAX_EARLY + 1)]

    assert done[-1] == [told(errors.TooManyFrames()), Close(errors.CloseCode.RATE_LIMITED)]
    assert not any(done[:-1])


# READY


def test_ready_with_a_data_socket_counts_at_once_and_only_once():
    handshake = registered(EXTENDED)
    handshake.attach_data()

    first, second = (handshake.receive(say("READY"), now=1) for _ in range(2))

    assert first == [effects.MarkReady()]
    assert [effect.frame["code"] for effect in second] == ["ALREADY_READY"]


def test_early_ready_is_remembered_until_the_data_socket_says_hello():
    handshake = registered(EXTENDED)

    early = handshake.receive(say("READY"), now=1)
    attached = handshake.attach_data()
    again = handshake.attach_data()

    assert early == [WAITING]
    assert attached == [effects.MarkReady()]
    assert again == []


@pytest.mark.parametrize("session", ["created", "starting", "paused"])
def test_ready_before_the_session_runs_counts_and_says_what_it_waits_for(session):
    handshake = registered(EXTENDED)
    handshake.attach_data()
    handshake.tell(session=session, component="registered")

    done = handshake.receive(say("READY"), now=1)

    assert done[0] == effects.MarkReady()
    assert [(one.frame["code"], one.frame["waiting_for"]) for one in done[1:]] == [
        ("WAITING_FOR", "session")
    ]


def test_ready_in_a_running_session_waits_for_nothing():
    handshake = registered(EXTENDED)
    handshake.attach_data()
    handshake.tell(session="running", component="registered")

    assert handshake.receive(say("READY"), now=1) == [effects.MarkReady()]


def test_seed_client_is_never_told_notices_or_states():
    handshake = registered(SEED)

    early = handshake.receive(say("READY"), now=1)
    attached = handshake.attach_data()
    twice = handshake.receive(say("READY"), now=1)
    state = handshake.tell(session="running", component="running")

    assert early == []
    assert attached == [effects.MarkReady()]
    assert twice == []
    assert state == []


def test_wait_takes_an_early_ready_back():
    handshake = registered(EXTENDED)
    handshake.receive(say("READY"), now=1)

    waited = handshake.receive(say("WAIT"), now=2)

    assert waited == []
    assert handshake.attach_data() == []


def test_wait_after_ready_is_refused():
    handshake = registered()
    handshake.attach_data()
    handshake.receive(say("READY"), now=1)

    done = handshake.receive(say("WAIT"), now=2)

    assert [(effect.frame["code"], effect.frame["ref"]) for effect in done] == [
        ("INVALID_STATE", "WAIT")
    ]


def test_data_socket_that_comes_first_is_remembered():
    handshake = Handshake(now=0)
    handshake.receive(SEED, now=0)

    early = handshake.attach_data()
    handshake.admit(ADMISSION, now=0)

    assert early == []
    assert handshake.receive(say("READY"), now=1) == [effects.MarkReady()]


# Other frames


def test_component_reports_refreshes_and_finishes():
    handshake = registered()

    done = [
        handshake.receive(say("ERROR", code="E", message="m", temporary=True), now=1),
        handshake.receive(say("REFRESH", session_token="new"), now=1),
        handshake.receive(say("FINISHED"), now=1),
        handshake.receive(say("HEARTBEAT", n=1), now=1),
    ]

    assert done == [
        [effects.Report(Fault("E", "m", temporary=True))],
        [effects.Renew("new")],
        [effects.Finish()],
        [],
    ]


def test_component_tells_what_came_of_a_call():
    handshake = registered()

    assert handshake.receive(say("RESULT", id="c", result=7), now=1) == [
        effects.Answer(Result(id="c", value=7))
    ]


def test_unknown_command_is_answered_and_leaves_the_connection_open():
    handshake = registered()

    done = handshake.receive(say("DANCE"), now=1)

    assert [(effect.frame["code"], effect.frame["ref"]) for effect in done] == [
        ("UNKNOWN_COMMAND", "DANCE")
    ]
    assert handshake.phase is Phase.REGISTERED


@pytest.mark.parametrize(
    ("raw", "code"),
    [("{", 4000), (b"{}", 4000), ("[]", 4000), ("{}", 4000), ('"' + "x" * 65_536 + '"', 4008)],
)
def test_malformed_frame_is_told_and_closed_and_loses_the_component(raw, code):
    handshake = registered()

    done = handshake.receive(raw, now=1)

    assert done[0].frame["COMMAND"] == "ERROR"
    assert done[1:] == [Close(errors.CloseCode(code)), MarkLost("protocol")]
    assert handshake.receive(say("READY"), now=2) == []


# Heartbeats


def test_server_beats_by_itself_and_never_answers():
    handshake = registered()

    answered = handshake.receive(say("HEARTBEAT", n=9), now=4.5)
    beats = [handshake.tick(now=now) for now in (4.9, 5, 9.9, 10)]

    assert answered == []
    assert beats == [
        [],
        [Reply({"COMMAND": "HEARTBEAT", "n": 1})],
        [],
        [Reply({"COMMAND": "HEARTBEAT", "n": 2})],
    ]


def test_silent_component_is_late_then_in_time_again():
    handshake = registered(EXTENDED)

    late = handshake.tick(now=6.5)
    heard = handshake.receive(say("HEARTBEAT"), now=7)

    assert late == [effects.MarkLate(is_late=True)]
    assert heard == [effects.MarkLate(is_late=False)]


def test_silent_component_is_lost_on_both_sockets():
    handshake = registered(EXTENDED)
    handshake.tick(now=10)

    done = handshake.tick(now=15)

    assert done == [
        told(errors.HeartbeatMissed()),
        Close(errors.CloseCode.HEARTBEAT_MISSED, both=True),
        MarkLost("silent"),
    ]
    assert handshake.disconnect() == []


def test_frames_of_the_data_socket_count_as_life():
    handshake = registered(EXTENDED)
    handshake.heard(now=14)

    assert handshake.tick(now=15) == [Reply({"COMMAND": "HEARTBEAT", "n": 1})]


def test_seed_client_without_heartbeats_lives_while_its_socket_is_open():
    handshake = registered(SEED)

    assert handshake.tick(now=500) == [Reply({"COMMAND": "HEARTBEAT", "n": 1})]


def test_seed_client_is_judged_from_its_first_heartbeat_on():
    handshake = registered(SEED)
    handshake.receive(say("HEARTBEAT"), now=1)

    assert codes(handshake.tick(now=16)) == [4102]


# The data socket


def test_lost_data_socket_has_the_grace_to_come_back():
    handshake = registered()
    handshake.attach_data()
    handshake.receive(say("READY"), now=0)
    handshake.detach_data(now=10)
    handshake.tick(now=39)

    back = handshake.attach_data()

    assert back == []
    assert codes(handshake.tick(now=100)) == []


def test_component_is_lost_when_its_data_socket_stays_away():
    handshake = registered()
    handshake.attach_data()
    handshake.detach_data(now=10)
    handshake.detach_data(now=20)

    done = handshake.tick(now=40)

    assert codes(done) == [4203]
    assert done[-1] == MarkLost("data_socket_lost")


def test_data_socket_that_never_came_is_not_lost():
    handshake = registered()

    handshake.detach_data(now=0)

    assert codes(handshake.tick(now=100)) == []


# Tokens


def test_expiring_token_is_told_once_and_closed_after_overtime():
    handshake = registered(EXTENDED, expiry=Expiry(at_ms=1000, in_seconds=100))
    handshake.is_judged = False

    done = [handshake.tick(now=now) for now in (40, 41, 124, 125)]

    assert done[0] == [Reply({"COMMAND": "TOKEN_EXPIRING", "exp": 1000})]
    assert [codes(each) for each in done[:3]] == [[], [], []]
    assert done[3] == [
        told(errors.TokenExpired()),
        Close(errors.CloseCode.TOKEN_EXPIRED, both=True),
        MarkLost("token_expired"),
    ]


def test_seed_client_is_not_told_that_its_token_expires():
    handshake = registered(SEED, expiry=Expiry(at_ms=1000, in_seconds=100))

    assert handshake.tick(now=41) == [Reply({"COMMAND": "HEARTBEAT", "n": 1})]


def test_renewed_token_is_acknowledged_and_counts():
    handshake = registered(SEED, expiry=Expiry(at_ms=1000, in_seconds=100))

    done = handshake.renew(Expiry(at_ms=9000, in_seconds=900), now=90)

    assert done == [Reply({"COMMAND": "ACK", "ref": "REFRESH"})]
    assert codes(handshake.tick(now=300)) == []


def test_renewal_of_a_closed_connection_does_nothing():
    handshake = registered()
    handshake.disconnect()

    assert handshake.renew(None, now=1) == []


def test_refused_refresh_leaves_the_connection_open():
    handshake = registered()

    done = handshake.refuse(errors.TokenInvalid())

    assert done == [told(errors.TokenInvalid())]
    assert handshake.phase is Phase.REGISTERED


# Ends


def test_drain_sends_the_component_away_with_its_delay():
    done = registered(EXTENDED).drain(1730)

    assert done == [
        Reply({"COMMAND": "DRAIN", "retry_ms": 1730}),
        Close(errors.CloseCode.DRAINING),
    ]


def test_component_that_was_warned_of_a_drain_goes_on_until_it_is_sent_away():
    handshake = registered(EXTENDED)

    warned = handshake.warn(1730)
    between = handshake.receive(say("REFRESH", session_token="new"), now=1)
    done = handshake.drain(1730)

    assert warned == [Reply({"COMMAND": "DRAIN", "retry_ms": 1730})]
    assert between == [effects.Renew("new")]
    assert done == [Close(errors.CloseCode.DRAINING)]


@pytest.mark.parametrize("raw", [SEED, None])
def test_client_that_knows_no_drain_is_sent_away_with_an_error(raw):
    handshake = registered(raw) if raw else Handshake(now=0)

    warned = handshake.warn(1730)
    done = handshake.drain(1730)

    assert warned == []
    assert done == [told(errors.Draining(retry_ms=1730)), Close(errors.CloseCode.DRAINING)]


def test_replaced_connection_is_closed_and_loses_nothing():
    assert registered().replace() == [
        told(errors.ConnectionReplaced()),
        Close(errors.CloseCode.REPLACED),
    ]


def test_stopped_session_releases_both_sockets():
    assert registered(EXTENDED).release(is_over=False) == [
        Reply({"COMMAND": "STATE", "session": "stopped", "component": "stopped"}),
        Close(errors.CloseCode.NORMAL, both=True),
    ]


def test_session_that_is_over_closes_with_4005():
    assert registered(SEED).release(is_over=True) == [
        told(errors.SessionOver()),
        Close(errors.CloseCode.SESSION_OVER, both=True),
    ]


def test_component_is_lost_with_its_control_socket():
    assert registered().disconnect() == [MarkLost("control_socket_lost")]


def test_connection_that_never_registered_loses_nobody():
    assert Handshake(now=0).disconnect() == []


def test_nothing_is_said_after_the_end():
    handshake = registered(EXTENDED)
    handshake.disconnect()

    assert [
        handshake.receive(say("READY"), now=1),
        handshake.attach_data(),
        handshake.tick(now=100),
        handshake.tell(session="running", component="running"),
        handshake.drain(1),
        handshake.replace(),
        handshake.release(is_over=True),
        handshake.fail(ComponentNotFound()),
        handshake.disconnect(),
    ] == [[]] * 9


# Words


def test_states_are_told_to_clients_that_asked_for_them():
    assert registered(EXTENDED).tell(session="running", component="running") == [
        Reply({"COMMAND": "STATE", "session": "running", "component": "running"})
    ]


def test_frames_are_written_plainly():
    assert registered().write({"COMMAND": "ACK"}, at="2026-01-01T00:00:00Z") == '{"COMMAND":"ACK"}'


def test_heartbeat_with_an_id_is_the_answer_to_one():
    handshake = registered()

    answered = handshake.receive(say("HEARTBEAT", n=1, id="a"), now=1)

    assert answered == [effects.Answer(Result(id="a"))]
    assert handshake.receive(say("HEARTBEAT", n=2), now=2) == []
