"""The lines of docs/a2a.md, run as they stand there against a real server."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from a2a.client import ClientConfig, ClientFactory

from tests.e2e.a2a_client import COMPLETED, Heard, message
from tests.serving import ROOT, Running, clean, start_server

BLOCKS = dict(
    re.findall(
        r"^```(\w+)\n(.*?)^```$", (ROOT / "docs/a2a.md").read_text(), re.MULTILINE | re.DOTALL
    )
)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with start_server() as found:
        yield found


@pytest.mark.timeout(120)
def test_the_curl_line_is_answered_by_a_task(running: Running):
    told = {"AEGIS_URL": running.url, "AEGIS_TOKEN": running.token, "no_proxy": "*"}

    done = subprocess.run(
        ["/bin/bash", "-c", BLOCKS["sh"]],
        env={**clean(), "PATH": os.environ["PATH"], **told},
        capture_output=True,
        text=True,
        check=True,
    )

    task = json.loads(done.stdout)["task"]
    said = task["artifacts"][0]["parts"][0]["text"]
    assert task["status"]["state"] == "TASK_STATE_COMPLETED"
    assert said.startswith("Nice to meet you, Alice!")


@pytest.mark.timeout(120)
async def test_the_program_hears_an_answer(running: Running):
    lines = "\n".join(f"    {line}" for line in BLOCKS["python"].splitlines())
    heard = Heard()
    names: dict[str, Any] = {
        "httpx": httpx,
        "ClientConfig": ClientConfig,
        "ClientFactory": ClientFactory,
        "token": running.token,
        "url": running.url,
        "request": message("My name is Alice."),
        "print": heard.take,
    }

    exec(f"async def page():\n{lines}\n    await web.aclose()", names)  # noqa: S102 -- our own page
    await names["page"]()

    assert heard.states[-1] == COMPLETED
    assert heard.text.startswith("Nice to meet you, Alice!")
