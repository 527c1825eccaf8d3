import json

import pytest

from aegis_project.kit.errors import ValidationFailed
from components.core.client import Join, Registration, Tell
from components.core.effects import Close, Reply
from components.core.heartbeat import Beats
from streaming.core.errors import CloseCode

ACK = {
    "COMMAND": "ACK",
    "component_id": "c1",
    "name": "feed",
    "session_id": "s1",
    "data_socket": "/data",
    "heartbeat_seconds": 5,
}


def joined():
    registration = Registration(now=0)
    registration.receive(json.dumps(ACK), now=0)
    return registration


def test_first_ack_joins():
    registration = Registration(now=0)

    done = registration.receive(json.dumps(ACK), now=1)

    assert done == [Join(component_id="c1", name="feed", session_id="s1", data_socket="/data")]


def test_ack_of_a_seed_server_joins_with_the_usual_places():
    done = Registration(now=0).receive('{"COMMAND":"ACK"}', now=1)

    assert done == [Join(component_id="", name="", session_id="", data_socket="/ws/data")]


def test_later_frames_are_told_and_heartbeats_only_heard():
    registration = joined()
    told = [
        {"COMMAND": "ACK", "ref": "REFRESH"},
        {"COMMAND": "STATE", "session": "running", "component": "running"},
        {"COMMAND": "NOVELTY"},
    ]

    done = [registration.receive(json.dumps(frame), now=1) for frame in told]
    beat = registration.receive('{"COMMAND":"HEARTBEAT","n":1}', now=7)

    assert done == [[Tell(frame["COMMAND"], frame)] for frame in told]
    assert beat == []
    assert registration.last_heard_at == 7


def test_drain_and_error_are_kept_for_the_close_that_follows():
    registration = joined()
    error = {"COMMAND": "ERROR", "code": "TOKEN_INVALID", "temporary": False}

    registration.receive('{"COMMAND":"DRAIN","retry_ms":250}', now=1)
    registration.receive(json.dumps(error), now=1)

    assert registration.retry_ms == 250
    assert registration.error == error


def test_what_is_no_frame_is_refused():
    with pytest.raises(ValidationFailed):
        joined().receive("nonsense", now=1)


def test_component_beats_in_the_servers_rhythm_once_it_joined():
    registration = Registration(now=0, beats=Beats(interval_seconds=5))
    before = registration.tick(now=6)
    registration.receive(json.dumps({**ACK, "heartbeat_seconds": 2}), now=6)

    done = [registration.tick(now=now) for now in (7.9, 8, 9, 10)]

    assert before == []
    assert done == [
        [],
        [Reply({"COMMAND": "HEARTBEAT", "n": 1})],
        [],
        [Reply({"COMMAND": "HEARTBEAT", "n": 2})],
    ]


def test_silent_server_is_given_up_after_two_and_a_half_beats():
    registration = joined()
    registration.heard(now=3)

    assert registration.tick(now=15.4) == [Reply({"COMMAND": "HEARTBEAT", "n": 1})]
    assert registration.tick(now=15.5) == [Close(CloseCode.HEARTBEAT_MISSED, both=True)]


def test_ready_is_said_on_request():
    assert joined().ready() == [Reply({"COMMAND": "READY"})]


def test_heartbeat_that_asks_is_answered_at_once():
    registration = joined()

    answered = registration.receive('{"COMMAND":"HEARTBEAT","n":0,"id":"a"}', now=1)

    assert answered == [Reply({"COMMAND": "HEARTBEAT", "n": 0, "id": "a"})]
