"""Child processes that are kept running, and that never outlive their parent."""

import os
import subprocess
import sys

import pytest

from sessions.management import children
from sessions.management.children import Child
from tests.serving import is_running, until

SCRIPT = """
import os, sys, threading
with open({file!r}, "a") as file:
    file.write(f"{{os.getpid()}}\\n")
print("said", flush=True)
if {lasts!r}:
    threading.Event().wait(60)
"""
PARENT = """
import subprocess, sys
child = subprocess.Popen(
    [sys.executable, "-m", "sessions.management.leash", {program!r}], stdin=subprocess.PIPE
)
sys.stdin.read()
"""


@pytest.fixture
def program(tmp_path):
    """A program that notes its process id, and the file in which it does."""

    def make(*, lasts):
        file = tmp_path / "pids"
        file.touch()
        script = tmp_path / "program.py"
        script.write_text(SCRIPT.format(file=str(file), lasts=lasts))
        return str(script), lambda: [int(line) for line in file.read_text().split()]

    return make


@pytest.fixture
def keep(tmp_path):
    kept = []

    def start(script):
        command = ["sessions.management.leash", script]
        log = tmp_path / "logs" / "program.log"
        kept.append(Child("program", command, environment=os.environ, log=log))
        kept[-1].start()
        return log

    yield start
    children.stop(kept)


def test_child_that_ends_by_itself_is_started_again(program, keep):
    script, pids = program(lasts=False)

    log = keep(script)

    assert len(set(until(lambda: pids() if len(pids()) > 1 else []))) > 1
    assert log.read_text().startswith("said\n")


def test_stopped_child_is_gone_and_not_started_again(program, tmp_path):
    script, pids = program(lasts=True)
    child = Child(
        "program", ["sessions.management.leash", script], environment=os.environ, log=None
    )
    child.start()
    until(pids)

    children.stop([child])

    assert child.ended(within_seconds=0)
    assert [is_running(pid) for pid in pids()] == [False]


def test_child_that_ends_and_is_not_wanted_is_not_started_again(program):
    script, pids = program(lasts=False)
    command = ["sessions.management.leash", script]
    child = Child("program", command, environment=os.environ, log=None, is_wanted=lambda: False)

    child.start()

    assert child.ended(within_seconds=20)
    assert len(pids()) == 1


def test_child_ends_when_its_parent_is_killed(program):
    script, pids = program(lasts=True)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(program=script)], stdin=subprocess.PIPE
    )
    (pid,) = until(pids)

    parent.kill()
    parent.communicate()

    until(lambda: not is_running(pid))


def test_log_that_has_grown_large_is_put_aside(tmp_path):
    log = tmp_path / "feed.log"
    with log.open("wb") as file:
        file.truncate(children.LOG_BYTES + 1)

    assert children.rotated(log) == log
    assert not log.exists()
    assert (tmp_path / "feed.1.log").stat().st_size == children.LOG_BYTES + 1
