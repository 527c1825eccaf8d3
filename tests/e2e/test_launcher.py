"""Programs of components, run by a real launcher beside a real server."""

import asyncio
import functools
import json
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests import serving
from tests.e2e import launchers, places, remote
from tests.e2e.launchers import Launching
from tests.e2e.places import Place
from tests.serving import Running, is_running

pytestmark = pytest.mark.timeout(150)

until = functools.partial(remote.until, seconds=60)
PATIENT = {"AEGIS_LAUNCHER_PATIENCE_SECONDS": "40"}


@pytest.fixture(scope="module", params=[places.SQLITE, places.POSTGRES])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with places.place(request.param) as found:
        yield found


@pytest.fixture(scope="module")
def running(place: Place) -> Iterator[Running]:
    # A program that is slow on a busy machine is not to come again in the middle of a test.
    with place.serve(AEGIS_LOST_SECONDS="15") as found:
        yield found
    # Whatever a test left running ends by itself.
    assert_nothing_is_left(found)


def assert_nothing_is_left(running: Running) -> None:
    serving.until(lambda: not launchers.keepers(running.home), seconds=30)


@pytest.fixture
def launcher(running: Running) -> Iterator[Launching]:
    with launchers.launching(running, **PATIENT) as found:
        yield found


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


def texts(lines: list[Any], stream: str = "stdout") -> list[str]:
    return [one["line"] for one in lines if one["stream"] == stream]


async def stop(running: Running, session: str) -> None:
    await remote.order(running, session, "stop")
    await launchers.until_state(running, session, "stopped", "failed")


async def session_is(running: Running, session: str, state: str) -> None:
    async def found() -> bool:
        return bool((await remote.session(running, session))["state"] == state)

    await until(found)


async def test_an_example_is_started_ready_and_stopped_with_its_session(
    running: Running, launcher: Launching
) -> None:
    session = await launchers.started(running, launchers.example("feed", "--rate", "50"))

    await session_is(running, session, "running")
    launch = await launchers.until_state(running, session, "running")
    path = f"/api/v1/sessions/{session}/topics/trades.BTCUSDT?start=earliest&wait=10"
    trades = (await remote.ask(running, "GET", path)).body["data"]
    await stop(running, session)

    assert trades[0]["data"]["id"] == 1
    assert is_running(launch["pid"]) is False
    assert (await remote.components(running, session))["prices"]["state"] == "stopped"
    ((code, follows),) = await launchers.exits(running, session)
    assert (code, follows) in {(0, "none"), (-signal.SIGTERM, "none"), (1, "none")}
    started_again = await remote.ask(running, "POST", f"/api/v1/sessions/{session}/start", {})
    assert started_again.status in {200, 202}
    await session_is(running, session, "running")
    assert (await launchers.launch_of(running, session))["attempt"] == 2
    await stop(running, session)


async def test_what_a_program_prints_is_a_topic_and_its_environment_is_its_own(
    running: Running, launcher: Launching
) -> None:
    code = (
        "import json, os, sys;"
        "print(json.dumps(dict(os.environ)));"
        "print('x' * 9000);"
        "sys.stdout.buffer.write(b'\\xff\\x00\\n');"
        "print(os.environ['AEGIS_SESSION_TOKEN'], file=sys.stderr);"
        "print('no end', end='');"
        "sys.stdout.flush();"
        "sys.stdin.read();"
        "import time; time.sleep(60)"
    )
    fields: dict[str, Any] = {"environment": {"MINE": "1"}, "directory": "/"}
    session = await launchers.started(running, python(code), required=False, **fields)

    async def printed() -> list[Any] | None:
        found = await launchers.lines(running, session)
        return found if len(found) >= 4 else None

    await until(printed)
    await stop(running, session)
    found = await launchers.lines(running, session)
    out = texts(found)
    environment = json.loads(out[0])
    ours = {name: text for name, text in environment.items() if name.startswith("AEGIS_")}
    assert set(ours) == {"AEGIS_URL", "AEGIS_SESSION_TOKEN", "AEGIS_COMPONENT_ID"}
    assert (ours["AEGIS_URL"], ours["AEGIS_SESSION_TOKEN"]) == (running.url, "***")
    assert environment["MINE"] == "1"
    assert not {name for name in environment if "TESTS" in name or "SECRET" in name}
    assert [len(line) for line in out[1:2]] == [8192]
    assert found[[one["line"] for one in found].index(out[1])]["cut"] is True
    assert out[2:] == ["\ufffd\ufffd", "no end"]
    assert texts(found, "stderr")[0] == "***"
    path = f"/api/v1/sessions/{session}/topics/logs.prices"
    refused = await remote.ask(running, "POST", path, {"records": [{"data": 1}]})
    assert (refused.status, refused.body["error"]["code"]) == (403, "TOPIC_FORBIDDEN")


async def test_a_program_that_crashes_is_started_again_until_it_is_given_up(
    running: Running, launcher: Launching
) -> None:
    session = await launchers.started(running, python("raise SystemExit(3)"))

    await launchers.until_state(running, session, "failed")

    assert await launchers.exits(running, session) == [(3, "restart")] * 3 + [(3, "failed")]
    component = (await remote.components(running, session))["prices"]
    assert (component["state"], component["error"]) == ("failed", "It exited 3.")
    assert component["launch"]["attempt"] == 4


async def test_a_program_that_is_killed_comes_back_as_its_component(
    running: Running, launcher: Launching
) -> None:
    session = await launchers.started(running, launchers.example("feed"))
    await session_is(running, session, "running")
    first = await launchers.until_state(running, session, "running")
    killed = await asyncio.create_subprocess_exec("kill", "-9", str(first["pid"]))
    await killed.wait()

    async def is_back() -> bool:
        component = (await remote.components(running, session))["prices"]
        return bool(component["state"] == "running" and component["launch"]["attempt"] == 2)

    await until(is_back)

    assert (await remote.session(running, session))["state"] == "running"
    assert await launchers.exits(running, session) == [(-9, "restart")]
    await stop(running, session)


async def test_a_program_that_there_is_not_fails_its_component_at_once(
    running: Running, launcher: Launching
) -> None:
    session = await launchers.started(running, ["/there/is/no/such"], restart="always")

    await launchers.until_state(running, session, "failed")

    component = (await remote.components(running, session))["prices"]
    assert component["error"] == "No such file or directory: /there/is/no/such"
    assert await launchers.exits(running, session) == [(127, "failed")]


async def test_a_program_whose_work_is_done_is_not_started_again(
    running: Running, launcher: Launching
) -> None:
    session = await launchers.started(running, python("print('done')"), required=False)

    await launchers.until_state(running, session, "stopped")

    assert await launchers.exits(running, session) == [(0, "none")]
    assert texts(await launchers.lines(running, session)) == ["done"]


async def test_a_program_that_ignores_term_is_killed_with_what_it_started(
    running: Running, launcher: Launching
) -> None:
    code = (
        "import signal, subprocess, sys, time;"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid);"
        "time.sleep(60)"
    )
    session = await launchers.started(running, python(code), required=False, stop_grace_seconds=0.5)
    (child,) = await until(lambda: _printed(running, session))

    launch = await launchers.launch_of(running, session)
    await stop(running, session)

    assert await launchers.exits(running, session) == [(-9, "none")]
    assert (is_running(launch["pid"]), is_running(int(child))) == (False, False)


async def _printed(running: Running, session: str) -> list[str]:
    return texts(await launchers.lines(running, session))


async def test_a_flood_is_bounded_and_told(running: Running, launcher: Launching) -> None:
    code = "for n in range(300_000): print(n)\nraise SystemExit(1)"
    session = await launchers.started(running, python(code), restart="never", required=False)

    await launchers.until_state(running, session, "failed")

    found = await _whole_log(running, session)
    left_out = sum(one.get("dropped", 0) for one in found)
    kept = [int(one) for one in texts(found)]
    assert left_out > 200_000
    assert left_out + len(kept) == 300_000
    assert kept == sorted(kept)
    assert kept[-1] == 299_999


async def _whole_log(running: Running, session: str) -> list[Any]:
    found: list[Any] = []
    after = "start=earliest"
    while True:
        path = f"/api/v1/sessions/{session}/topics/logs.prices?{after}&limit=200"
        page = (await remote.ask(running, "GET", path)).body
        if not page["data"]:
            return found
        found += [one["data"] for one in page["data"]]
        after = f"after={page['next']}"


async def test_a_launcher_that_is_killed_is_followed_by_one_that_goes_on(
    running: Running, launcher: Launching
) -> None:
    counts = "import time\nfor n in range(10_000): print(n); time.sleep(0.05)"
    ends = "print('up')\nimport sys, time; time.sleep(2); sys.exit(7)"
    session = await launchers.started(running, python(counts), required=False)
    other = await launchers.started(running, python(ends), required=False, restart="never")
    for one in (session, other):
        await until(lambda one=one: _printed(running, one))  # type: ignore[misc]
    first = await launchers.until_state(running, session, "running")
    ended = await launchers.until_state(running, other, "running")

    launcher.end(signal.SIGKILL)
    await until(lambda: not is_running(ended["pid"]))
    assert is_running(first["pid"])
    seen = len(await _printed(running, session))
    launcher.start()
    await until(lambda: _grew(running, session, seen + 10))
    await launchers.until_state(running, other, "failed")

    second = await launchers.launch_of(running, session)
    assert (second["pid"], second["attempt"]) == (first["pid"], 1)
    printed = [int(one) for one in await _printed(running, session)]
    assert sorted(set(printed)) == list(range(len(set(printed))))
    assert await launchers.exits(running, other) == [(7, "failed")]
    await stop(running, session)
    assert is_running(first["pid"]) is False


async def _grew(running: Running, session: str, count: int) -> bool:
    return len(await _printed(running, session)) >= count


async def test_programs_that_nobody_keeps_end_by_themselves(running: Running) -> None:
    code = "print('up')\nimport time; time.sleep(60)"
    with launchers.launching(running, AEGIS_LAUNCHER_PATIENCE_SECONDS="2") as launcher:
        session = await launchers.started(running, python(code), required=False)
        await until(lambda: _printed(running, session))
        pid = (await launchers.launch_of(running, session))["pid"]
        assert launcher.end(signal.SIGTERM) == 0
        assert is_running(pid)

        await until(lambda: not is_running(pid))
        await until(lambda: not launchers.keepers(running.home))
        await remote.order(running, session, "stop")


async def test_a_keeper_that_is_killed_leaves_no_orphan(
    running: Running, launcher: Launching
) -> None:
    code = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)"
    session = await launchers.started(running, python(code), required=False)
    first = await launchers.until_state(running, session, "running")

    keeper = launchers.parent(first["pid"])
    assert keeper in launchers.keepers(running.home)
    killed = await asyncio.create_subprocess_exec("kill", "-9", str(keeper))
    await killed.wait()

    await until(lambda: not is_running(first["pid"]))

    async def is_again() -> bool:
        return bool((await launchers.launch_of(running, session))["attempt"] == 2)

    await until(is_again)
    assert await launchers.exits(running, session) == [(None, "restart")]
    await stop(running, session)


async def test_two_launchers_start_everything_once(running: Running, launcher: Launching) -> None:
    code = "print('up')\nimport time; time.sleep(60)"
    with launchers.launching(running, **PATIENT):
        given = [await launchers.started(running, python(code), required=False) for _ in range(4)]
        for session in given:
            await until(lambda one=session: _printed(running, one))  # type: ignore[misc]
        found = [await launchers.launch_of(running, session) for session in given]
        keepers = launchers.keepers(running.home)
        for session in given:
            await stop(running, session)

    assert [one["attempt"] for one in found] == [1] * 4
    assert len(keepers) == 4
