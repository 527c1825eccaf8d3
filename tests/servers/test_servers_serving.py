"""`aegis serve` on both servers: where it is, how it ends, what it refuses."""

import contextlib
import json
import signal
import socket
import stat
import subprocess
import sys
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.e2e import remote
from tests.serving import ROOT, Running, clean, read_address, start_server, until

pytestmark = pytest.mark.timeout(150)

UNSENT = """
import sys
from sessions.management import listening, servers

async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind.endswith("shutdown"):
                return
    await receive()
    await send({"type": "websocket.accept"})
    for _ in range(20):
        await send({"type": "websocket.send", "bytes": bytes(1_000_000)})
    print(scope["extensions"]["aegis.unsent"](), flush=True)
    await receive()

listener = listening.bind("127.0.0.1", 0)
port = listening.port_of(listener)
servers.serve(
    servers.Server.DAPHNE,
    application=application,
    listener=listener,
    trusts_proxy=False,
    on_started=lambda: print(port, flush=True),
    give_up=lambda: None,
)
"""


@pytest.fixture(params=["uvicorn", "daphne"])
def server(request):
    return request.param


def status_of(running, token):
    """How the API answers this secret."""
    with contextlib.closing(HTTPConnection(urlsplit(running.url).netloc, timeout=20)) as http:
        http.request("GET", "/api/v1/sessions", headers={"Authorization": f"Bearer {token}"})
        return http.getresponse().status


@dataclass
class Ended:
    """A command that ended by itself."""

    code: int
    said: str


def serve(environment, *arguments):
    """Run `aegis serve` for a case in which it does not start."""
    command = [sys.executable, "manage.py", "aegis", "serve", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    return Ended(done.returncode, done.stderr)


def say(connection, **frame):
    connection.send(json.dumps(frame))


def hear(connection, command):
    while (frame := json.loads(connection.recv(timeout=20))).get("COMMAND") != command:
        continue
    return frame


def last_words(connection):
    """The commands that still come, and the code that the socket is closed with."""
    commands = []
    try:
        while True:
            commands.append(json.loads(connection.recv(timeout=20)).get("COMMAND"))
    except ConnectionClosed as closed:
        return commands, closed.rcvd and closed.rcvd.code


@contextlib.contextmanager
def component(running: Running):
    """A component with both its sockets."""
    made = remote.send(running, "POST", "/api/v1/sessions", {"token": True}).body
    remote.send(running, "POST", f"/api/v1/sessions/{made['id']}/start", {})
    token = made["session_token"]
    with connect(f"{running.ws_url}/ws/control") as control:
        say(control, session_token=token, topics=["prices"], proto={"batch": True})
        ack = hear(control, "ACK")
        with connect(f"{running.ws_url}/ws/data") as data:
            say(data, session_token=token, component_id=ack["component_id"])
            hear(data, "ACK")
            yield control, data


def test_address_file_is_private_and_goes_with_the_server(server):
    with start_server("--server", server) as running:
        file = running.home / "server.json"

        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert read_address(running.home).keys() == {"url", "pid", "token"}
        assert status_of(running, read_address(running.home)["token"]) == 200
        assert running.stop() == 0
        assert not file.exists()


def test_secret_of_the_address_file_opens_nothing_after_the_end(server):
    with start_server("--server", server) as first:
        former = read_address(first.home)["token"]
        first.stop()

        with start_server("--server", server, home=first.home) as second:
            assert status_of(second, former) == 401


def test_secret_that_a_killed_server_left_opens_nothing(server):
    with start_server("--server", server) as first:
        former = read_address(first.home)
        first.kill()
        assert read_address(first.home) == former

        with start_server("--server", server, home=first.home) as second:
            assert read_address(second.home)["pid"] == second.process.pid
            assert status_of(second, former["token"]) == 401


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_end_drains_both_sockets_of_a_component(server, number):
    # The component here says nothing of itself, and is not to be lost for that.
    patient = start_server("--server", server, AEGIS_LOST_SECONDS="120")
    with patient as running, component(running) as (control, data):
        running.process.send_signal(number)

        said, code = last_words(control)
        _, data_code = last_words(data)

        assert ("DRAIN" in said, code, data_code) == (True, 4200, 4200), said
        assert running.process.wait(30) == 0


def test_end_with_nobody_connected_is_clean(server):
    with start_server("--server", server) as running:
        assert running.stop() == 0
        assert "Traceback" not in running.log()


def test_second_interrupt_ends_at_once():
    with start_server("--server", "uvicorn") as running:
        port = int(running.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as deaf:
            # Upgraded, and never answers the close frame that the end waits for.
            deaf.sendall(
                b"GET /ws/control HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            assert b" 101 " in deaf.recv(1024)
            running.process.send_signal(signal.SIGINT)
            until(lambda: deaf.recv(1024))
            running.process.send_signal(signal.SIGINT)

            assert running.process.wait(30) == 130
            assert not (running.home / "server.json").exists()


def test_taken_port_is_refused_with_another_one_to_try(server):
    with start_server("--server", server) as running:
        port = int(running.url.rpartition(":")[2])
        apart = {**running.environment, "AEGIS_HOME": str(running.home.with_name("other"))}

        ended = serve(apart, "--server", server, "--port", str(port))

        assert ended.code == 1
        assert f"Port {port} is taken" in ended.said
        assert f"--port {port + 1}" in ended.said


def test_second_server_on_a_home_is_refused():
    with start_server() as running:
        ended = serve(running.environment, "--port", "0")

        assert ended.code == 1
        assert running.url in ended.said
        assert read_address(running.home)["pid"] == running.process.pid


def test_server_without_tables_is_refused(tmp_path):
    ended = serve({**clean(), "AEGIS_HOME": str(tmp_path / "empty")}, "--port", "0")

    assert ended.code == 1
    assert "not up to date" in ended.said


def test_open_server_refuses_to_listen_elsewhere(tmp_path):
    environment = {**clean(), "AEGIS_HOME": str(tmp_path / "empty")}

    ended = serve(environment, "--open", "--host", "192.0.2.1", "--port", "0")

    assert ended.code == 1
    assert "without credentials" in ended.said


def test_daphne_says_what_a_client_has_not_taken():
    with subprocess.Popen(
        [sys.executable, "-c", UNSENT],
        cwd=ROOT,
        env={**clean(), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with connect(f"ws://127.0.0.1:{port}/", max_size=None, max_queue=1) as idle:
                unsent = int(process.stdout.readline())
                idle.close_timeout = 0
        finally:
            process.kill()

    assert 1_000_000 < unsent <= 20_001_000
