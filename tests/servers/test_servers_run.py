"""What `aegis run` does when something is in its way, and whose `runserver` is."""

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.runs import SESSION, ask, demo, programs, run
from tests.serving import clean, manage, prepared, until

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def home(tmp_path):
    """A home with all tables, in which nothing was ever run."""
    return Path(shutil.copytree(prepared(), tmp_path / "home"))


def test_program_that_dies_is_started_again(home):
    with run(home) as running:
        demo(running)
        meter = programs(running.process.pid)["risk_meter.py"]

        subprocess.run(["kill", "-9", str(meter)], check=True)  # noqa: S607 -- it is where the system has it

        until(lambda: programs(running.process.pid).get("risk_meter.py", meter) != meter)
        demo(running)


def test_taken_port_leads_to_the_next_one(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with run(home, "--no-demo", "--port", str(port)) as running:
            assert int(running.url.rpartition(":")[2]) > port
            assert f"Port {port} is taken" in running.log()


def test_run_without_demo_starts_no_program(home):
    with run(home, "--no-demo") as running:
        assert programs(running.process.pid) == {}
        assert ask(running, f"/api/v1/sessions/{SESSION}")["error"]["code"] == "SESSION_NOT_FOUND"


def test_runserver_is_the_one_of_daphne(home):
    told = manage({**clean(), "AEGIS_HOME": str(home)}, "runserver", "--help")

    assert "--noasgi" in told
