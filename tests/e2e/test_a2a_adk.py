"""The A2A client of google-adk, in an environment of its own: it brings a hundred packages."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import clean, start_server

pytestmark = [pytest.mark.timeout(180), pytest.mark.servers, pytest.mark.dialects]

PROGRAM = Path(__file__).with_name("adk_program.py")
# An interpreter that has google-adk[a2a], where this one has not.
NAMED = os.environ.get("TESTS_ADK_PYTHON", "")
HAS_ADK = importlib.util.find_spec("google.adk") is not None


@pytest.mark.skipif(
    not NAMED and not HAS_ADK,
    reason="google-adk[a2a] is not installed; TESTS_ADK_PYTHON names a Python that has it",
)
def test_an_agent_is_a_remote_agent_of_google_adk():
    with start_server() as running:
        told = {"AEGIS_URL": running.url, "AEGIS_TOKEN": running.token}
        done = subprocess.run(
            [NAMED or sys.executable, str(PROGRAM), "My name is Alice.", "What is my name?"],
            env={**clean(), "PATH": os.environ["PATH"], **told},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout.splitlines()[-1])
    assert first.startswith("Nice to meet you, Alice!")
    assert second == "Your name is Alice."
