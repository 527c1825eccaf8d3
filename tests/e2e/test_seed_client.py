"""A client that knows seed 000 and nothing else, against a real server."""

import asyncio
import hashlib
from uuid import UUID

import pytest

from tests.e2e import remote
from tests.e2e.places import EVERYWHERE
from tests.e2e.remote import assert_no_traceback, opened, publish, until

pytestmark = [
    pytest.mark.dialects,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("anywhere", EVERYWHERE, indirect=True, scope="module"),
]

TOPICS = ["klines.BTCUSDT.1m", "orderbook.BTCUSDT"]


@pytest.fixture(scope="module")
def server(anywhere):
    with anywhere.serve(AEGIS_OPEN="1", AEGIS_START_SECONDS="3") as running:
        yield running


async def command(server, word, **payload):
    """The envelope that answers a command; the seed's curl lines send no header at all."""
    body = {"request_id": f"of-{word}", "command": word, "payload": payload}
    answer = await asyncio.to_thread(
        remote.send, server, "POST", "/aegis/commands", body, headers={}
    )
    assert answer.status == 200
    assert (answer.body["request_id"], answer.body["command"]) == (f"of-{word}", word)
    return answer.body


async def create(server, *names):
    """A session with attached components, and its token."""
    made = (await command(server, "SESSION_CREATE", name="seed", mode="realtime"))["data"][
        "session"
    ]
    assert made["state"] == "initialized"
    attached = await command(
        server, "SESSION_ATTACH", session_id=made["id"], components=list(names)
    )
    assert words(attached) == dict.fromkeys(names, "pending")
    return made["id"], made["session_token"]


def words(envelope):
    """The states of components by name, as an envelope tells them."""
    data = envelope["data"]
    return {
        one["name"]: one["state"] for one in data.get("attached_components", data.get("components"))
    }


async def starting(server, session_id):
    """Start a session, and come back once the server is waiting for its components."""

    async def is_waiting():
        told = await command(server, "SESSION_STATE", session_id=session_id)
        return "starting" in told["data"]["session"]["conditions"]

    answer = asyncio.create_task(command(server, "SESSION_START", session_id=session_id))
    await until(is_waiting)
    return answer


def chained(topic, epoch, raw):
    """The chain value over the frames of a topic, from their raw `data`."""
    ck = hashlib.sha256(topic.encode() + b"\0" + epoch.encode()).digest()[:8]
    for seq, text in enumerate(raw, 1):
        data = text.partition('"data":')[2][:-1].encode()
        ck = hashlib.sha256(ck + seq.to_bytes(8, "big") + data).digest()[:8]
    return ck.hex()


async def test_seed_client_takes_part_in_a_session_from_create_to_end(server):
    session_id, token = await create(server, "comp1")
    async with opened(server, "control") as control, opened(server, "data") as data:
        await control.say({"session_token": token, "topics": TOPICS})
        ack = await control.next()
        await data.say({"session_token": token})
        assert await data.next() == {"COMMAND": "ACK"}
        started = await starting(server, session_id)
        assert not started.done()

        await control.say({"COMMAND": "READY"})
        start = await started
        for number in range(1, 21):
            await publish(server, session_id, TOPICS[number % 2], {"i": number, "p": 0.1 * number})
        records = [await data.next() for _ in range(20)]
        state = await command(server, "SESSION_STATE", session_id=session_id)
        stop = await command(server, "SESSION_STOP", session_id=session_id)
        ends = {frame["topic"]: frame for frame in [await data.next(), await data.next()]}
        codes = [await data.closed(), await control.closed()]

    assert ack["COMMAND"] == "ACK"
    assert UUID(ack["component_id"]).version == 4
    assert (start["status"], words(start)) == ("ok", {"comp1": "running"})
    assert start["data"]["previous_state"] == "initialized"
    assert start["data"]["current_state"] == "running"
    assert words(state) == {"comp1": "running"}
    assert [list(record) for record in records] == [["topic", "seq", "ts", "data"]] * 20
    assert [record["data"]["i"] for record in records] == list(range(1, 21))
    for topic in TOPICS:
        assert [one["seq"] for one in records if one["topic"] == topic] == list(range(1, 11))
        raw = [text for text in data.raw if f'"topic":"{topic}"' in text and "COMMAND" not in text]
        end = ends[topic]
        assert (end["COMMAND"], end["seq"], end["count"]) == ("END", 10, 10)
        assert (end["ck"], end["final"]) == (chained(topic, end["epoch"], raw), False)
    assert (stop["status"], stop["data"]["previous_state"]) == ("ok", "running")
    assert (stop["data"]["current_state"], words(stop)) == ("stopped", {"comp1": "stopped"})
    assert codes == [1000, 1000]
    assert_no_traceback(server)


async def test_seed_client_that_never_heard_of_heartbeats_stays_alive(server):
    session_id, token = await create(server, "quiet")
    async with opened(server, "control") as control, opened(server, "data") as data:
        await control.say({"session_token": token, "topics": TOPICS})
        await control.hear("ACK")
        await data.say({"session_token": token})
        await data.hear("ACK")
        await control.say({"COMMAND": "READY"})
        await command(server, "SESSION_START", session_id=session_id)

        # Twelve beats are more than the silence after which a component is lost that does beat.
        beats = [(await control.hear("HEARTBEAT"))["n"] for _ in range(12)]
        await publish(server, session_id, TOPICS[0], "still here")

        assert (await data.next())["data"] == "still here"
        assert beats == list(range(1, 13))
        assert {frame["COMMAND"] for frame in control.frames} == {"ACK", "HEARTBEAT"}


async def test_start_that_times_out_is_answered_as_the_seed_shows(server):
    session_id, token = await create(server, "here", "missing")
    async with opened(server, "control") as control, opened(server, "data") as data:
        await control.say({"session_token": token, "topics": TOPICS})
        await control.hear("ACK")
        await data.say({"session_token": token})
        await data.hear("ACK")
        await control.say({"COMMAND": "READY"})

        start = await command(server, "SESSION_START", session_id=session_id)
        state = await command(server, "SESSION_STATE", session_id=session_id)

    assert start["status"] == "error"
    assert start["message"] == "Could not start session: Not ready in time: missing."
    assert start["data"]["session_id"] == session_id
    assert start["data"]["previous_state"] == "initialized"
    assert start["data"]["current_state"] == "error"
    assert words(start) == {"here": "pending", "missing": "pending"}
    assert state["data"]["session"]["state"] == "error"
    assert_no_traceback(server)


async def test_sessions_that_are_not_there_are_answered_in_envelopes(server):
    missing = "00000000-0000-4000-8000-000000000000"
    answers = [
        await command(server, word, session_id=missing)
        for word in ("SESSION_START", "SESSION_STOP", "SESSION_STATE", "SESSION_FLY")
    ]

    assert [answer["status"] for answer in answers] == ["error"] * 4
    assert [answer["message"] for answer in answers] == [
        "Could not start session: Session not found",
        "Could not stop session: Session not found",
        "Session not found",
        "Unknown command: SESSION_FLY",
    ]
    assert_no_traceback(server)
