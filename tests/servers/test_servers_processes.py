"""`aegis serve --processes`: several processes on one socket, over real shared stores."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from sessions.management.process import inherited
from tests.e2e import places, remote
from tests.e2e.remote import Member
from tests.serving import START_SECONDS, is_running, start_server, until

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def shared(tmp_path):
    """The settings of a migrated database of its own and of the Valkey of this test run."""
    with places.postgres() as (url, token):
        home = tmp_path / "home"
        home.mkdir()
        (home / "token").write_text(token)
        redis = os.environ["AEGIS_TEST_REDIS_URL"]
        yield {"home": home, "AEGIS_DATABASE_URL": url, "AEGIS_REDIS_URL": redis}


def processes(parent):
    """The process ids of the servers that a parent keeps."""
    command = ["ps", "-ww", "-eo", "pid=,ppid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return {
        int(pid)
        for pid, of, *words in rows
        if of == str(parent) and "sessions.management.process" in words
    }


def pair(running):
    """The process ids of both servers, once they are there."""
    until(lambda: len(processes(running.process.pid)) == 2)
    return processes(running.process.pid)


def answers(running):
    """Whether the server answers at all, as soon as one of its processes takes the connection."""
    address = urlsplit(running.url).netloc
    with closing(HTTPConnection(address, timeout=START_SECONDS)) as http:
        http.request("GET", "/healthz")
        return http.getresponse().status == 200


def test_a_process_that_comes_does_not_make_the_listener_of_all_block():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)

        with inherited(os.dup(listener.fileno())) as own, own.dup():
            assert os.get_blocking(listener.fileno()) is False


def test_two_processes_serve_and_end_together(shared):
    with start_server("--processes", "2", **shared) as running:
        assert answers(running)
        kept = pair(running)

        assert running.stop() == 0
        assert not any(map(is_running, kept))


def test_process_that_dies_is_replaced(shared):
    with start_server("--processes", "2", **shared) as running:
        assert answers(running)
        kept = pair(running)
        os.kill(min(kept), signal.SIGKILL)

        until(lambda: len(processes(running.process.pid) - {min(kept)}) == 2)
        assert answers(running)


def test_processes_end_when_their_parent_is_killed(shared):
    with start_server("--processes", "2", **shared) as running:
        assert answers(running)
        kept = pair(running)

        running.kill()

        until(lambda: not any(map(is_running, kept)), seconds=40)


async def test_components_of_one_session_meet_whichever_process_takes_them(shared):
    with start_server("--processes", "3", **shared) as running:
        assert await asyncio.to_thread(answers, running)
        made = await remote.make(running)
        token, session = made["session_token"], made["id"]
        await remote.order(running, session, "start")
        async with contextlib.AsyncExitStack() as stack:
            sinks = [
                await stack.enter_async_context(Member(running.url, token, f"sink-{n}", ["prices"]))
                for n in range(8)
            ]
            await asyncio.gather(*(sink.runs() for sink in sinks))
            for n in range(20):
                await remote.publish(running, session, "prices", n)
            await remote.until(lambda: all(len(sink.records) == 20 for sink in sinks))
            await remote.order(running, session, "stop")
            await asyncio.gather(*(sink.over() for sink in sinks))

    assert [[one.data for one in sink.records] for sink in sinks] == [list(range(20))] * 8
    assert len({sink.receipts["prices"] for sink in sinks}) == 1
