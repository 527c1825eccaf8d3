"""The sink in JavaScript, which knows nothing but the written protocol, against a real server."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streaming.core.position import chain, genesis
from tests.e2e import remote
from tests.e2e.cable import cable
from tests.e2e.remote import Member, until
from tests.serving import ROOT, Running, clean

OLDEST = 22
SINK = ROOT / "examples" / "node" / "sink.mjs"
# What a slicer of JSON may stumble over: spaces, escapes, brackets in text, other alphabets.
TEXTS = [
    '{"a":1}',
    ' { "a" : "x,\\"]}" , "b" : [ 1 , {"c":null} ] } '.strip(),
    '"\\\\"',
    "[]",
    "{}",
    "1.50",
    '"жé😀\\u00e9"',
    '{"data":{"data":"}"},"msgs":["[",":"]}',
]


@pytest.fixture(scope="module")
def node() -> str:
    """A Node that has a WebSocket of its own."""
    found = shutil.which("node")
    said = subprocess.run([found or "true", "--version"], capture_output=True, check=False)
    version = re.match(rb"v(\d+)", said.stdout)
    if found is None or version is None or int(version[1]) < OLDEST:
        pytest.skip(f"No Node {OLDEST} or newer here.")
    return found


@pytest.fixture(scope="module")
def running(node: str, home: Any) -> Iterator[Running]:
    with home.serve() as found:
        yield found


@contextlib.asynccontextmanager
async def sink(node: str, url: str, token: str, file: Path, *topics: str) -> AsyncIterator[Any]:
    """The example as a program of its own, following these topics; killed if it has not ended."""
    process = await asyncio.create_subprocess_exec(
        node,
        str(SINK),
        str(file),
        *topics,
        stdout=asyncio.subprocess.PIPE,
        env={**clean(), "PATH": os.environ["PATH"], "AEGIS_URL": url, "AEGIS_SESSION_TOKEN": token},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def lines(file: Path) -> list[Any]:
    """What was written whole."""
    text = file.read_text() if file.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


async def output(process: Any) -> list[str]:
    text, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, text
    return list(text.decode().splitlines())


async def test_it_takes_each_record_once_through_kills_and_proves_it(
    node: str, running: Running, tmp_path: Path
) -> None:
    file = tmp_path / "records.ndjson"
    made = await remote.make(running)
    session, token = made["id"], made["session_token"]
    await remote.order(running, session, "start")
    async with Member(running.url, token, "feed", role="feed") as feed:
        await feed.runs()
        await feed.component.append("t", *(msgspec.Raw(text.encode()) for text in TEXTS))
        async with sink(node, running.url, token, file, "t") as process:
            await until(lambda: len(lines(file)) == len(TEXTS))
            process.kill()
        with file.open("a") as cut:
            cut.write('{"topic":"t","seq"')
        await feed.component.append("t", *range(300))

        async with sink(node, running.url, token, file, "t") as process:
            await until(lambda: len(lines(file)) == len(TEXTS) + 300)
            await remote.order(running, session, "stop")
            said = await output(process)

    found = lines(file)
    assert [one["seq"] for one in found] == list(range(1, len(TEXTS) + 301))
    ck = genesis("t", found[0]["epoch"])
    for seq, text in enumerate([*TEXTS, *map(str, range(300))], 1):
        ck = chain(ck, seq, text.encode())
        assert (seq, found[seq - 1]["ck"]) == (seq, ck.hex())
        assert found[seq - 1]["data"] == json.loads(text)
    assert said == [f"t: end at {len(found)}, verified"]


async def test_it_comes_back_after_a_cut_without_loss(
    node: str, running: Running, tmp_path: Path
) -> None:
    file = tmp_path / "records.ndjson"
    made = await remote.make(running)
    session, token = made["id"], made["session_token"]
    await remote.order(running, session, "start")
    async with cable(running.url) as wire, sink(node, wire.url, token, file, "t", "u") as process:
        await remote.publish(running, session, "t", *range(5))
        await remote.publish(running, session, "u", "x")
        await until(lambda: len(lines(file)) == 6)

        wire.cut()
        await remote.publish(running, session, "t", *range(5, 10))

        await until(lambda: len(lines(file)) == 11)
        await remote.order(running, session, "end")
        said = await output(process)

    assert [one["data"] for one in lines(file) if one["topic"] == "t"] == list(range(10))
    assert sorted(said) == ["t: end at 10, verified", "u: end at 1, verified"]


async def test_it_is_refused_with_a_token_that_is_none(
    node: str, running: Running, tmp_path: Path
) -> None:
    async with sink(node, running.url, "nonsense", tmp_path / "x", "t") as process:
        text, _ = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 1
    assert text.decode().splitlines()[-1] == "closed: 4001"
