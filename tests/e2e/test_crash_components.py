"""Components that fall silent, lose a socket or come twice: late, lost, failed, replaced."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter

import pytest

from tests.e2e import remote
from tests.e2e.cable import cable
from tests.e2e.places import DAPHNE, POSTGRES, SQLITE
from tests.e2e.remote import Member, assert_no_traceback, opened, publish, until
from tests.serving import ROOT, clean

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.parametrize("anywhere", [SQLITE, DAPHNE, POSTGRES], indirect=True, scope="module"),
]

PRICES = "prices.BTCUSDT"


@pytest.fixture(scope="module")
def server(anywhere):
    with anywhere.serve(AEGIS_LOST_SECONDS="1.5", AEGIS_GRACE_SECONDS="3") as running:
        yield running
        assert_no_traceback(running)


@contextlib.contextmanager
def program(server, token, name, *topics):
    """A component in another process; it is killed with the block."""
    environment = {**clean(), "AEGIS_URL": server.url, "AEGIS_SESSION_TOKEN": token}
    command = [sys.executable, "-m", "tests.e2e.program", name, *topics]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        try:
            yield process
        finally:
            process.kill()


async def until_printed(process, lines, count):
    """Add what a program prints to the lines, until there are so many."""

    def are_there():
        raw = process.stdout.read() or b""
        lines.extend(json.loads(line) for line in raw.splitlines())
        return len(lines) >= count

    await until(are_there)


async def running_program(server, session_id, name):
    """Wait until the component of this name runs."""

    async def does_run():
        found = await remote.components(server, session_id)
        return found.get(name, {}).get("state") == "running"

    await until(does_run)


async def until_told(server, session_id, type_, count=1):
    """Wait until the ledger has so many events of a type; how many of each there are then."""

    async def are_told():
        told = Counter(event["type"] for event in await remote.events(server, session_id))
        return told if told[type_] >= count else None

    return await until(are_told, seconds=30)


async def state_of(server, session_id, name):
    return (await remote.components(server, session_id))[name]["state"]


async def joined(server, control, data, token, **register):
    """Bring a raw component to READY; its id."""
    await control.say({"session_token": token, "topics": [PRICES], **register})
    component_id = (await control.hear("ACK"))["component_id"]
    await data.say({"session_token": token, "component_id": component_id})
    await data.hear("ACK")
    await control.say({"COMMAND": "READY"})
    return component_id


async def test_required_component_that_hangs_is_late_then_lost_then_fails_its_session(server):
    made = await remote.make(server, components=["worker"])
    with program(server, made["session_token"], "worker", PRICES) as process:
        await remote.order(server, made["id"], "start?wait=20")
        process.send_signal(signal.SIGSTOP)
        await until_told(server, made["id"], "heartbeat.late")
        await until_told(server, made["id"], "component.lost")
        missed = await remote.session(server, made["id"])
        await until_told(server, made["id"], "session.suspended")
    failed = await remote.session(server, made["id"])
    told = [event["type"] for event in await remote.events(server, made["id"])]

    assert (missed["state"], missed["conditions"]) == ("running", ["degraded"])
    assert (failed["state"], failed["error"]["code"]) == ("failed", "COMPONENT_LOST")
    assert failed["error"]["details"] == {"components": ["worker"]}
    assert told[-6:] == [
        "heartbeat.late",
        "heartbeat.lost",
        "component.lost",
        "component.failed",
        "error.occurred",
        "session.suspended",
    ]


async def test_optional_component_that_hangs_fails_alone(server):
    made = await remote.make(server)
    await remote.order(server, made["id"], "start")
    with program(server, made["session_token"], "extra", PRICES) as process:
        await running_program(server, made["id"], "extra")
        process.send_signal(signal.SIGSTOP)
        told = await until_told(server, made["id"], "component.failed")

        session = await remote.session(server, made["id"])
        assert (session["state"], session["conditions"]) == ("running", ["degraded"])
        assert await state_of(server, made["id"], "extra") == "failed"
        assert (told["component.lost"], told["session.suspended"]) == (1, 0)

        # It may still come back; then nothing is missing any more.
        process.send_signal(signal.SIGCONT)
        await running_program(server, made["id"], "extra")
        assert (await remote.session(server, made["id"]))["conditions"] == []


async def test_component_that_comes_back_within_the_grace_runs_again_without_loss(server):
    made = await remote.make(server, components=["worker"])
    with program(server, made["session_token"], "worker", PRICES) as process:
        await remote.order(server, made["id"], "start?wait=20")
        await publish(server, made["id"], PRICES, *range(5))
        got: list[object] = []
        await until_printed(process, got, 5)
        process.send_signal(signal.SIGSTOP)
        await until_told(server, made["id"], "component.lost")
        await publish(server, made["id"], PRICES, *range(5, 9))
        process.send_signal(signal.SIGCONT)
        await running_program(server, made["id"], "worker")
        await publish(server, made["id"], PRICES, 9)
        await until_printed(process, got, 10)
        told = await until_told(server, made["id"], "component.running", 2)
        session = await remote.session(server, made["id"])

    assert got == [[PRICES, number + 1, number] for number in range(10)]
    assert (session["state"], session["conditions"], session["activation"]) == ("running", [], 1)
    pairs = {name: told[name] for name in ("heartbeat.lost", "component.lost")}
    assert pairs == {"heartbeat.lost": 1, "component.lost": 1}
    assert (told["component.registered"], told["component.ready"]) == (2, 2)
    assert (told["component.failed"], told["session.suspended"]) == (0, 0)


async def test_silent_component_is_told_and_closed_on_both_sockets(server):
    made = await remote.make(server)
    async with opened(server, "control") as control, opened(server, "data") as data:
        await joined(server, control, data, made["session_token"], name="quiet", proto={"v": 1})

        assert (await control.closed(), await data.closed()) == (4102, 4102)
        errors = [socket.frames[-1] for socket in (control, data)]
        assert [one["code"] for one in errors] == ["HEARTBEAT_MISSED"] * 2
        assert [one["temporary"] for one in errors] == [True, True]


async def test_lost_control_socket_closes_the_gate_and_the_data_socket_after_the_grace(server):
    made = await remote.make(server)
    await remote.order(server, made["id"], "start")
    async with opened(server, "control") as control, opened(server, "data") as data:
        await joined(server, control, data, made["session_token"], name="half")
        await running_program(server, made["id"], "half")
        control.abort()
        await until_told(server, made["id"], "component.lost")
        await publish(server, made["id"], PRICES, "not for the lost")
        code = await data.closed()

        assert code == 4203
        assert (data.frames[-1]["COMMAND"], data.frames[-1]["code"]) == ("ERROR", "PARTNER_LOST")
        assert [frame for frame in data.frames if "data" in frame] == []
        told = [event["data"] for event in await remote.events(server, made["id"])]
        reasons = [data.get("reason") for data in told if data.get("name") == "half"]
        assert "control_socket_lost" in reasons
        assert await state_of(server, made["id"], "half") == "failed"


async def test_lost_data_socket_may_say_hello_again_and_nobody_is_told(server):
    made = await remote.make(server)
    token = made["session_token"]
    await remote.order(server, made["id"], "start")
    async with opened(server, "control") as control, opened(server, "data") as data:
        component_id = await joined(server, control, data, token, name="blink")
        await running_program(server, made["id"], "blink")
        await publish(server, made["id"], PRICES, 1)
        await until(lambda: data.frames[-1].get("data") == 1)
        data.abort()

        async def is_missed():
            return not (await remote.components(server, made["id"]))["blink"]["is_data_connected"]

        await until(is_missed)
        await publish(server, made["id"], PRICES, 2)
        async with opened(server, "data") as second:
            await second.say({"session_token": token, "component_id": component_id})
            await second.hear("ACK")
            again = {"topic": PRICES, "from": "seq:2"}
            await second.say({"COMMAND": "SUBSCRIBE", "id": 1, "topics": [again]})
            await publish(server, made["id"], PRICES, 3)
            await until(lambda: second.frames[-1].get("data") == 3)

            assert [frame["seq"] for frame in second.frames if "data" in frame] == [2, 3]
            assert control.code is None
        told = Counter(event["type"] for event in await remote.events(server, made["id"]))
        assert (told["component.lost"], told["component.ready"]) == (0, 1)


async def test_data_socket_that_does_not_come_back_ends_the_component(server):
    made = await remote.make(server)
    await remote.order(server, made["id"], "start")
    async with opened(server, "control") as control, opened(server, "data") as data:
        await joined(server, control, data, made["session_token"], name="deaf")
        await running_program(server, made["id"], "deaf")
        data.abort()
        code = await control.closed()

        assert code == 4203
        assert control.frames[-1]["code"] == "PARTNER_LOST"
        await until_told(server, made["id"], "component.lost")
        events = await remote.events(server, made["id"])
        lost = [event["data"]["reason"] for event in events if event["type"] == "component.lost"]
        assert lost == ["data_socket_lost"]


async def test_second_connection_of_a_component_takes_the_place_of_the_first(server):
    made = await remote.make(server)
    token = made["session_token"]
    await remote.order(server, made["id"], "start")
    async with opened(server, "control") as control, opened(server, "data") as data:
        component_id = await joined(server, control, data, token, name="twin")
        await running_program(server, made["id"], "twin")
        async with opened(server, "control") as newer, opened(server, "data") as newer_data:
            again = await joined(server, newer, newer_data, token, component_id=component_id)
            codes = [await control.closed(), await data.closed()]
            await running_program(server, made["id"], "twin")
            await publish(server, made["id"], PRICES, "for the newer one")
            await until(lambda: newer_data.frames[-1].get("data") == "for the newer one")

            assert (again, codes) == (component_id, [4007, 4007])
            last = [socket.frames[-1]["code"] for socket in (control, data)]
            assert last == ["CONNECTION_REPLACED"] * 2
            assert (newer.code, newer_data.code) == (None, None)
            told = Counter(event["type"] for event in await remote.events(server, made["id"]))
            assert (told["component.registered"], told["component.lost"]) == (2, 0)


@pytest.mark.parametrize(
    "path", ["/ws/control", "/ws/data", "/ws/"], ids=["control", "data", "both"]
)
async def test_sdk_component_survives_cuts_without_loss(server, path):
    made = await remote.make(server, components=["sink"])
    async with (
        cable(server.url) as line,
        Member(line.url, made["session_token"], "sink", [PRICES]) as sink,
    ):
        await remote.order(server, made["id"], "start?wait=20")
        for number in range(60):
            await publish(server, made["id"], PRICES, number)
            if number % 20 == 10:
                assert line.cut(path) > 0
                await line.next_carried()
        await until(lambda: len(sink.records) == 60)
        await until(lambda: sink.component.standing is not None)
        await remote.order(server, made["id"], "stop")
        await sink.over()

    assert [record.data for record in sink.records] == list(range(60))
    assert sink.gaps == []
    assert sink.receipts[PRICES].is_verified
    session = await remote.session(server, made["id"])
    assert (session["state"], session["activation"]) == ("stopped", 1)
