"""`aegis load-test` against a server that runs."""

import json
import subprocess
import sys
from collections.abc import Iterator

import httpx2
import pytest

from tests.serving import ROOT, Running, start_server

pytestmark = pytest.mark.timeout(300)

SMALL = ("--sessions", "2", "--components", "3", "--rate", "50", "--duration", "1")


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with start_server() as running:
        yield running


def load_test(server: Running, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", "aegis", "load-test", *SMALL, *words],
        cwd=ROOT,
        env={**server.environment, **more},
        capture_output=True,
        text=True,
        check=False,
    )


def sessions(server: Running) -> list[str]:
    headers = {"Authorization": f"Bearer {server.token}"}
    found = httpx2.get(f"{server.url}/api/v1/sessions", headers=headers).json()["data"]
    return [one["name"] for one in found]


def test_everything_arrives_and_nothing_is_left(server: Running):
    told = load_test(server, "--slo", "missing=0", "--slo", "lag_max=100s", "--json")

    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)["data"]
    assert (found["sent"], found["delivered"], found["missing"]) == (100, 200, 0)
    assert 0 < found["lag_p50"] <= found["lag_p95"] <= found["lag_max"]
    assert sessions(server) == []


def test_a_limit_that_is_missed_is_named_also_at_another_server(server: Running):
    named = {"AEGIS_SERVER": server.url, "AEGIS_TOKEN": server.token}
    told = load_test(server, "--slo", "lag_p50=0ms", **named)

    assert (told.returncode, told.stderr.splitlines()[-1]) == (9, "Missed: lag_p50")
    assert "missing    0" in told.stdout
    assert sessions(server) == []
