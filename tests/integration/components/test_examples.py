import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

import pytest

from tests.integration.components.fake import TOKEN, FakeAegis
from tests.integration.components.sdk_help import KLINES, until

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
async def aegis():
    async with FakeAegis() as server:
        yield server


@contextlib.asynccontextmanager
async def example(aegis, name, *arguments):
    """An example as a program of its own; ends it if the test has not."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLES / f"{name}.py"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "AEGIS_URL": aegis.url, "AEGIS_SESSION_TOKEN": TOKEN},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def output(process):
    text, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    return text.decode().splitlines()


async def run_feed(*arguments):
    async with (
        FakeAegis() as aegis,
        example(aegis, "feed", "--rate", "10000", "--count", "40", *arguments) as process,
    ):
        await output(process)
        return {name: log.texts for name, log in aegis.logs.items()}


async def test_feed_says_the_same_for_the_same_seed():
    first, again, other = [await run_feed("--seed", seed) for seed in ("1", "1", "2")]

    assert {name: len(texts) for name, texts in first.items()} == {
        "trades.BTCUSDT": 40,
        "orderbook.BTCUSDT": 8,
        KLINES: 2,
    }
    assert first == again
    assert first != other


async def test_strategy_signals_when_the_averages_cross(aegis):
    async with example(aegis, "strategy", "--fast", "1", "--slow", "2") as process:
        await until(lambda: aegis.data is not None and KLINES in aegis.data.next)
        await aegis.append(KLINES, *({"close": close} for close in ("1", "2", "3", "1", "5")))
        await until(lambda: len(aegis.log("signals.BTCUSDT").texts) == 2)
        await aegis.stop()
        lines = await output(process)

    signals = [json.loads(text) for text in aegis.log("signals.BTCUSDT").texts]
    cause = f"{aegis.log(KLINES).epoch}:4:{aegis.log(KLINES).ck(4).hex()}"
    assert signals[0] == {"side": "sell", "close": "1", "fast": 1.0, "slow": 2.0, "cause": cause}
    assert lines == ["sell at 1", "buy at 5"]


async def test_sink_writes_records_as_lines_and_checks_the_receipt(aegis, tmp_path):
    path = tmp_path / "records.ndjson"
    await aegis.append("a", 1, {"b": 2})

    async with example(aegis, "sink", "a", "--start", "earliest", "--file", str(path)) as process:
        await until(lambda: aegis.data is not None and aegis.data.next.get("a") == 3)
        await aegis.stop()
        lines = await output(process)

    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"topic": "a", "seq": 1, "ts": 1000, "data": 1},
        {"topic": "a", "seq": 2, "ts": 2000, "data": {"b": 2}},
    ]
    assert lines == ["a: end at 2, verified", "2 records"]


async def test_seed_client_needs_nothing_but_the_seed(aegis):
    async with example(aegis, "seed_client", KLINES) as process:
        await until(lambda: aegis.data is not None and KLINES in aegis.data.next)
        await aegis.append(KLINES, {"close": "1"})
        await aegis.stop()
        lines = await output(process)

    assert lines == [f'{KLINES} 1 {{"close": "1"}}', f"{KLINES}: end at 1"]
