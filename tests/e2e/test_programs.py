"""The programs of components: one real launcher runs them beside a real server."""

import asyncio
import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import launchers, places, remote
from tests.e2e.launchers import Launching
from tests.serving import Running, is_running

pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with places.place() as place, launchers.served(place) as found:
        yield found


@pytest.fixture(scope="module", autouse=True)
def launcher(running: Running) -> Iterator[Launching]:
    with launchers.launching(running, **launchers.PATIENT) as found:
        yield found


async def test_an_example_is_started_ready_and_stopped_with_its_session(running: Running) -> None:
    session = await launchers.started(running, launchers.example("feed", "--rate", "50"))

    await launchers.session_is(running, session, "running")
    launch = await launchers.until_state(running, session, "running")
    trades = await remote.until(lambda: published(running, session, "trades.BTCUSDT"))
    await launchers.stop(running, session)

    assert trades[0]["data"]["id"] == 1
    assert is_running(launch["pid"]) is False
    await remote.until(lambda: has_stopped(running, session, "prices"))
    ((code, follows),) = await launchers.exits(running, session)
    assert (code, follows) in {(0, "none"), (-signal.SIGTERM, "none"), (1, "none")}
    started_again = await remote.ask(running, "POST", f"/api/v1/sessions/{session}/start", {})
    assert started_again.status in {200, 202}
    await launchers.session_is(running, session, "running")
    assert (await launchers.launch_of(running, session))["attempt"] == 2
    await launchers.stop(running, session)


async def published(running: Running, session: str, topic: str) -> list[Any]:
    """The first records of a topic; none as long as nobody has published there."""
    path = f"/api/v1/sessions/{session}/topics/{topic}?start=earliest"
    return list((await remote.ask(running, "GET", path)).body.get("data", []))


async def has_stopped(running: Running, session: str, component: str) -> bool:
    found = await remote.components(running, session)
    return bool(found[component]["state"] == "stopped")


async def test_what_a_program_prints_is_a_topic_and_its_environment_is_its_own(
    running: Running,
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
    session = await launchers.started(running, launchers.python(code), required=False, **fields)

    async def printed() -> list[Any] | None:
        found = await launchers.lines(running, session)
        return found if len(found) >= 4 else None

    await launchers.until(printed)
    await launchers.stop(running, session)
    found = await launchers.lines(running, session)
    out = launchers.texts(found)
    environment = json.loads(out[0])
    ours = {name: text for name, text in environment.items() if name.startswith("AEGIS_")}
    assert set(ours) == {"AEGIS_URL", "AEGIS_SESSION_TOKEN", "AEGIS_COMPONENT_ID"}
    assert (ours["AEGIS_URL"], ours["AEGIS_SESSION_TOKEN"]) == (running.url, "***")
    assert environment["MINE"] == "1"
    assert not {name for name in environment if "TESTS" in name or "SECRET" in name}
    assert [len(line) for line in out[1:2]] == [8192]
    assert found[[one["line"] for one in found].index(out[1])]["cut"] is True
    assert out[2:] == ["\ufffd\ufffd", "no end"]
    assert launchers.texts(found, "stderr")[0] == "***"
    path = f"/api/v1/sessions/{session}/topics/logs.prices"
    refused = await remote.ask(running, "POST", path, {"records": [{"data": 1}]})
    assert (refused.status, refused.body["error"]["code"]) == (403, "TOPIC_FORBIDDEN")


async def test_a_program_that_crashes_is_started_again_until_it_is_given_up(
    running: Running,
) -> None:
    session = await launchers.started(running, launchers.python("raise SystemExit(3)"))

    await launchers.until_state(running, session, "failed")

    assert await launchers.exits(running, session) == [(3, "restart")] * 3 + [(3, "failed")]
    component = (await remote.components(running, session))["prices"]
    assert (component["state"], component["error"]) == ("failed", "It exited 3.")
    assert component["launch"]["attempt"] == 4


async def test_a_program_that_is_killed_comes_back_as_its_component(running: Running) -> None:
    session = await launchers.started(running, launchers.example("feed"))
    await launchers.session_is(running, session, "running")
    first = await launchers.until_state(running, session, "running")
    killed = await asyncio.create_subprocess_exec("kill", "-9", str(first["pid"]))
    await killed.wait()

    async def is_back() -> bool:
        component = (await remote.components(running, session))["prices"]
        return bool(component["state"] == "running" and component["launch"]["attempt"] == 2)

    await launchers.until(is_back)

    assert (await remote.session(running, session))["state"] == "running"
    assert await launchers.exits(running, session) == [(-9, "restart")]
    await launchers.stop(running, session)


async def test_a_program_that_there_is_not_fails_its_component_at_once(running: Running) -> None:
    session = await launchers.started(running, ["/there/is/no/such"], restart="always")

    await launchers.until_state(running, session, "failed")

    component = (await remote.components(running, session))["prices"]
    assert component["error"] == "No such file or directory: /there/is/no/such"
    assert await launchers.exits(running, session) == [(127, "failed")]


async def test_a_program_whose_work_is_done_is_not_started_again(running: Running) -> None:
    session = await launchers.started(running, launchers.python("print('done')"), required=False)

    await launchers.until_state(running, session, "stopped")

    assert await launchers.exits(running, session) == [(0, "none")]
    assert launchers.texts(await launchers.lines(running, session)) == ["done"]


async def test_a_program_that_ignores_term_is_killed_with_what_it_started(running: Running) -> None:
    code = (
        "import signal, subprocess, sys, time;"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid);"
        "time.sleep(60)"
    )
    session = await launchers.started(
        running, launchers.python(code), required=False, stop_grace_seconds=0.5
    )
    (child,) = await launchers.until(lambda: launchers.printed(running, session))

    launch = await launchers.launch_of(running, session)
    await launchers.stop(running, session)

    assert await launchers.exits(running, session) == [(-9, "none")]
    assert (is_running(launch["pid"]), is_running(int(child))) == (False, False)


async def test_a_flood_is_bounded_and_told(running: Running) -> None:
    code = "for n in range(300_000): print(n)\nraise SystemExit(1)"
    session = await launchers.started(
        running, launchers.python(code), restart="never", required=False
    )

    await launchers.until_state(running, session, "failed")

    found = await _whole_log(running, session)
    left_out = sum(one.get("dropped", 0) for one in found)
    kept = [int(one) for one in launchers.texts(found)]
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
