"""A real `aegis run` and what its session and its programs are doing."""

import contextlib
import json
import subprocess
from http.client import HTTPConnection
from urllib.parse import urlsplit

from tests.serving import read_address, start_server, until

RUNNING_SECONDS = 90
SESSION = "btc-flash-dip"
PROGRAMS = ["ma_cross.py", "quiet.py", "risk_meter.py", "sim_exchange.py"]
COMPONENTS = ["book-feed", "ma-cross", "paper-desk", "risk-meter", "sim-exchange"]


@contextlib.contextmanager
def run(home, *arguments):
    with start_server(*arguments, home=home, verb="run") as running:
        yield running


def demo(running):
    """The demo session, once it runs with all its components."""

    def look():
        session = ask(running, f"/api/v1/sessions/{SESSION}")
        is_running = session.get("state") == "running"
        return session if is_running and states(running) == ["running"] * len(COMPONENTS) else None

    return until(look, seconds=RUNNING_SECONDS)


def components(running):
    return ask(running, f"/api/v1/sessions/{SESSION}/components")["data"]


def states(running):
    return [one["state"] for one in components(running)]


def ask(running, path):
    """What the API answers to the secret of the address file."""
    token = read_address(running.home)["token"]
    with contextlib.closing(HTTPConnection(urlsplit(running.url).netloc, timeout=20)) as http:
        http.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        return json.load(http.getresponse())


def programs(parent):
    """The process ids of the programs of a run, by file name."""
    listed = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,ppid=,args="],  # noqa: S607 -- it is where the system has it
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    words = [(row[0], word) for row in rows if row[1] == str(parent) for word in row[2:]]
    return {word.rpartition("/")[2]: int(pid) for pid, word in words if word.endswith(".py")}


def prices(running):
    """How many klines there are until now."""
    found = ask(running, f"/api/v1/sessions/{SESSION}/topics")["data"]
    return next((one["head"] for one in found if one["name"].startswith("klines.")), 0)
