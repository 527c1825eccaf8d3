"""The programs of docs/sdk.md, run as they stand there against a real server."""

import asyncio
import contextlib
import os
import re
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import places, remote
from tests.serving import ROOT, Running, clean

PROGRAMS = dict(
    re.findall(
        r"^```python (\w+)\n(.*?)^```$",
        (ROOT / "docs/sdk.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
)
KLINES = "klines.BTCUSDT.1m"


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with places.place() as place, place.serve() as found:
        yield found


@dataclass
class Scene:
    """A session that runs, and where programs of the page are started for it."""

    running: Running
    folder: Path
    session: str
    token: str

    @contextlib.asynccontextmanager
    async def program(self, name: str, *, ready: bool = True) -> AsyncIterator[Any]:
        """A program of the page; the block begins when its component runs."""
        path = self.folder / f"{name}.py"
        path.write_text(PROGRAMS[name])
        told = {"AEGIS_URL": self.running.url, "AEGIS_SESSION_TOKEN": self.token}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(path),
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            env={**clean(), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **told},
        )
        try:
            if ready:
                await remote.until(self.is_running)
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def is_running(self) -> bool:
        found = await remote.components(self.running, self.session)
        return any(one["state"] == "running" for one in found.values())

    async def publish(self, *closes: str) -> None:
        data = [{"close": close} for close in closes]
        await remote.publish(self.running, self.session, KLINES, *data)

    async def stop(self, process: Any) -> list[str]:
        """Stop the session; what the program printed until it ended by itself."""
        await remote.order(self.running, self.session, "stop")
        return await said(process)


async def said(process: Any) -> list[str]:
    text, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    return list(text.decode().splitlines())


@pytest.fixture
async def scene(running: Running, tmp_path: Path) -> Scene:
    made = await remote.make(running)
    await remote.order(running, made["id"], "start")
    return Scene(running, tmp_path, made["id"], made["session_token"])


async def test_twelve_lines_connect_a_component(scene: Scene) -> None:
    lines = [line for line in PROGRAMS["twelve"].splitlines() if line]
    assert len(lines) <= 12

    async with scene.program("twelve") as process:
        await scene.publish("1", "2")
        assert await scene.stop(process) == [f"{KLINES} 1 1", f"{KLINES} 2 2"]


async def test_functions_are_given_every_event(scene: Scene) -> None:
    await scene.publish("1")

    async with scene.program("functions") as process:
        await scene.publish("2")
        path = f"/api/v1/sessions/{scene.session}/topics/closes.BTCUSDT?start=earliest"

        async def closes() -> list[Any] | None:
            answer = await remote.ask(scene.running, "GET", path)
            found = [one["data"]["close"] for one in answer.body.get("data", [])]
            return found if len(found) == 2 else None

        assert await remote.until(closes) == ["1", "2"]
        assert await scene.stop(process) == [f"{KLINES}: 2, proven"]


async def test_the_blocking_form_needs_no_loop(scene: Scene) -> None:
    async with scene.program("blocking") as process:
        await scene.publish("1", "2")
        assert await scene.stop(process) == ["1 1", "2 2"]


async def test_publishing_puts_records_in_their_order(scene: Scene) -> None:
    async with scene.program("publishing", ready=False) as process:
        assert await said(process) == ["the last stands at 4"]

    path = f"/api/v1/sessions/{scene.session}/topics/prices.BTC?start=earliest"
    found = (await remote.ask(scene.running, "GET", path)).body["data"]
    assert [one["data"]["price"][-2:] for one in found] == ["10", "20", "30", "40"]


async def test_a_file_of_cursors_outlives_the_process(scene: Scene) -> None:
    await scene.publish("1", "2")
    async with scene.program("cursors") as process:
        first = [(await process.stdout.readline()).decode() for _ in range(2)]
        await remote.until((scene.folder / "cursors.json").exists)
        await remote.until(lambda: '"seq": 2' in (scene.folder / "cursors.json").read_text())
    await scene.publish("3")

    async with scene.program("cursors") as process:
        assert await scene.stop(process) == ["3"]

    assert first == ["1\n", "2\n"]


async def test_an_effect_with_its_cursor_happens_once(scene: Scene) -> None:
    await scene.publish("1", "2")
    file = scene.folder / "closes.sqlite3"

    def closes() -> list[Any]:
        with contextlib.closing(sqlite3.connect(file)) as opened:
            return opened.execute("SELECT * FROM close ORDER BY rowid").fetchall()

    def taken(count: int) -> bool:
        with contextlib.suppress(sqlite3.Error):
            return file.exists() and len(closes()) >= count
        return False

    async with scene.program("once"):
        await remote.until(lambda: taken(2))
    await scene.publish("3")
    async with scene.program("once") as process:
        await remote.until(lambda: taken(3))
        await scene.stop(process)

    assert closes() == [(1, "1"), (2, "2"), (3, "3")]


async def test_a_refusal_is_caught_by_its_class(scene: Scene) -> None:
    async with scene.program("errors", ready=False) as process:
        assert await said(process) == ["TOKEN_INVALID: The session token is not valid."]


def test_every_program_of_the_page_is_run() -> None:
    text = Path(__file__).read_text()

    assert [name for name in PROGRAMS if f'"{name}"' not in text] == []
    assert "```python\n" not in (ROOT / "docs/sdk.md").read_text()
