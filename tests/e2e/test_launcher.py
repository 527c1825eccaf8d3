"""What a real launcher leaves behind, whoever is killed: programs go on, once, or end."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from tests.e2e import launchers, places, remote
from tests.e2e.launchers import Launching
from tests.serving import Running, is_running

pytestmark = pytest.mark.timeout(150)


@pytest.fixture(scope="module", params=[places.SQLITE, places.POSTGRES])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    with places.place(request.param) as place, launchers.served(place) as found:
        yield found


@pytest.fixture
def launcher(running: Running) -> Iterator[Launching]:
    with launchers.launching(running, **launchers.PATIENT) as found:
        yield found


async def test_a_launcher_that_is_killed_is_followed_by_one_that_goes_on(
    running: Running, launcher: Launching
) -> None:
    counts = "import time\nfor n in range(10_000): print(n); time.sleep(0.05)"
    ends = "print('up')\nimport sys, time; time.sleep(2); sys.exit(7)"
    session = await launchers.started(running, launchers.python(counts), required=False)
    other = await launchers.started(
        running, launchers.python(ends), required=False, restart="never"
    )
    for one in (session, other):
        await launchers.until(lambda one=one: launchers.printed(running, one))  # type: ignore[misc]
    first = await launchers.until_state(running, session, "running")
    ended = await launchers.until_state(running, other, "running")

    launcher.end(signal.SIGKILL)
    await launchers.until(lambda: not is_running(ended["pid"]))
    assert is_running(first["pid"])
    seen = len(await launchers.printed(running, session))
    launcher.start()
    await launchers.until(lambda: _grew(running, session, seen + 10))
    await launchers.until_state(running, other, "failed")

    second = await launchers.launch_of(running, session)
    assert (second["pid"], second["attempt"]) == (first["pid"], 1)
    printed = [int(one) for one in await launchers.printed(running, session)]
    assert sorted(set(printed)) == list(range(len(set(printed))))
    assert await launchers.exits(running, other) == [(7, "failed")]
    await launchers.stop(running, session)
    assert is_running(first["pid"]) is False


async def _grew(running: Running, session: str, count: int) -> bool:
    return len(await launchers.printed(running, session)) >= count


async def test_programs_that_nobody_keeps_end_by_themselves(running: Running) -> None:
    code = "print('up')\nimport time; time.sleep(60)"
    # A busy launcher has this long from its last word to its end.
    with launchers.launching(running, AEGIS_LAUNCHER_PATIENCE_SECONDS="10") as launcher:
        session = await launchers.started(running, launchers.python(code), required=False)
        await launchers.until(lambda: launchers.printed(running, session))
        pid = (await launchers.launch_of(running, session))["pid"]
        assert launcher.end(signal.SIGTERM) == 0
        assert is_running(pid)

        await launchers.until(lambda: not is_running(pid))
        await launchers.until(lambda: not launchers.keepers(running.home))
        await remote.order(running, session, "stop")


async def test_a_keeper_that_is_killed_leaves_no_orphan(
    running: Running, launcher: Launching
) -> None:
    code = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)"
    session = await launchers.started(running, launchers.python(code), required=False)
    first = await launchers.until_state(running, session, "running")

    keeper = launchers.parent(first["pid"])
    assert keeper in launchers.keepers(running.home)
    killed = await asyncio.create_subprocess_exec("kill", "-9", str(keeper))
    await killed.wait()

    await launchers.until(lambda: not is_running(first["pid"]))

    async def is_again() -> bool:
        return bool((await launchers.launch_of(running, session))["attempt"] == 2)

    await launchers.until(is_again)
    assert await launchers.exits(running, session) == [(None, "restart")]
    await launchers.stop(running, session)


async def test_two_launchers_start_everything_once(running: Running, launcher: Launching) -> None:
    code = "print('up')\nimport time; time.sleep(60)"
    with launchers.launching(running, **launchers.PATIENT):
        given = [
            await launchers.started(running, launchers.python(code), required=False)
            for _ in range(4)
        ]
        for session in given:
            await launchers.until(lambda one=session: launchers.printed(running, one))  # type: ignore[misc]
        found = [await launchers.launch_of(running, session) for session in given]
        keepers = launchers.keepers(running.home)
        for session in given:
            await launchers.stop(running, session)

    assert [one["attempt"] for one in found] == [1] * 4
    assert len(keepers) == 4
