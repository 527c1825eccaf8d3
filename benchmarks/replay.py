"""How fast each layout of a historical source is replayed, and in how much memory."""

import argparse
import asyncio
import gzip
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import report

T = TypeVar("T")

NOON = 1_723_118_400_000
DAY = "2024-08-08"
FULL, QUICK = 400_000, 40_000
HEADINGS = ("layout", "what", "topics", "rows", "MB", "rows/s", "bad", "peak RSS MiB", "of it read")
BATCH = 10_000
STRIDE = 1024


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement: what is made, or lies in ``root``, and is then replayed."""

    layout: str
    what: str
    make: Callable[[Path, int], None] | None = None
    rows: int = 0
    root: Path = Path()


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a case: seconds, memory in MiB before and at the most, megabytes of data."""

    topics: int
    rows: int
    seconds: float
    bad: int
    before: float
    peak: float
    megabytes: float


def make_csv(folder: Path, rows: int) -> None:
    """One day of trades of two symbols."""
    for symbol in ("BTCUSDT", "ETHUSDT"):
        path = folder / symbol / "trades" / f"{symbol}-trades-{DAY}.csv"
        path.parent.mkdir(parents=True)
        with path.open("w") as file:
            file.writelines(
                f"{number},61837.63000000,0.02000000,1236.75260000,{_ms(number)},true\n"
                for number in range(1, rows // 2 + 1)
            )


def make_frames(folder: Path, rows: int) -> None:
    """One recording of the trades and tickers of a symbol."""
    with gzip.open(folder / "binance-spot-btcusdt-20240808.jsonl.gz", "wt", 1) as file:
        file.writelines(_frame(number) for number in range(1, rows + 1))


def _frame(number: int) -> str:
    if number % 3:
        kind = "bookTicker"
        rest = '"b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"'
    else:
        kind = "trade"
        rest = f'"e":"trade","E":{_ms(number)},"p":"61837.63000000","q":"0.02000000","m":true'
    data = f'{{"u":{number},"s":"BTCUSDT",{rest}}}'
    return f'{_ms(number)}000000 {{"stream":"btcusdt@{kind}","data":{data}}}\n'


def make_tape(folder: Path, rows: int) -> None:
    """A database with the recording of one session, of two topics."""
    _set_up(folder)
    from django.contrib.auth.models import Group  # noqa: PLC0415 -- app ready
    from django.core.management import call_command  # noqa: PLC0415 -- app ready

    from sessions.models import Session  # noqa: PLC0415 -- app ready
    from streaming.models import Log, Record  # noqa: PLC0415 -- app ready

    call_command("migrate", verbosity=0)
    session = Session.objects.create(key="lived", team=Group.objects.get(name="default"))
    for topic in ("trades.BTCUSDT", "signals.sma"):
        log = Log.objects.create(session=session, name=topic, epoch="a" * 16, ck="", recorded=True)
        for first in range(1, rows // 2 + 1, BATCH):
            Record.objects.bulk_create(
                Record(log=log, epoch="a" * 16, seq=number, ck="0" * 16, ts=_ms(number), body=BODY)
                for number in range(first, min(first + BATCH, rows // 2 + 1))
            )


BODY = b'{"id":1,"price":61837.63000000,"qty":0.02000000,"is_buyer_maker":true}'


def _ms(number: int) -> int:
    return NOON + number // 8


def _set_up(folder: Path) -> None:
    os.environ.update(AEGIS_HOME=str(folder), DJANGO_SETTINGS_MODULE="aegis_project.settings")
    import django  # noqa: PLC0415 -- only where a database is measured

    django.setup()


def run(case: Case, folder: Path) -> Measured:
    """Let the clock of a case run to its end, as a driver does that nobody slows down."""
    source = _opened(case, folder)
    before = _peak()
    began = time.perf_counter()
    view = asyncio.run(_run(source))
    seconds = time.perf_counter() - began
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Measured(
        topics=len(source.topics),
        rows=view.n,
        seconds=seconds,
        bad=view.report.count,
        before=before,
        peak=_peak(),
        megabytes=size / 1e6,
    )


def _opened(case: Case, folder: Path) -> Any:
    from streaming.sources import source  # noqa: PLC0415 -- after the settings

    spec = source.SourceSpec(folder, ("**",), layout=case.layout)
    if case.layout != source.RECORDING:
        return source.open_source(spec)
    _set_up(folder)
    from sessions.models import Session  # noqa: PLC0415 -- app ready
    from streaming.sources import tape_reader  # noqa: PLC0415 -- app ready

    lived = str(Session.objects.get().pk)
    return tape_reader.open_tape(replace(spec, session=lived))


async def _run(source: Any) -> Any:
    from streaming.engines.replay import ReplayView  # noqa: PLC0415 -- after the settings

    epochs = {topic.topic: "a" * 16 for topic in source.topics}
    view = await ReplayView.open(source, session_id="benchmark", epochs=epochs)
    while await view.peek() is not None:
        await view.advance(count=STRIDE)
    await view.close()
    return view


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(call: Callable[..., T], *arguments: Any) -> T:
    """What a call gives in a process of its own, whose memory is nobody else's."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(call, arguments)


def cases(rows: int, data: Path | None) -> Iterator[Case]:
    """Each layout at two sizes, which shows that memory does not grow; real files, if there are."""
    made = {"csv": make_csv, "frames": make_frames, "recording": make_tape}
    for layout, make in made.items():
        for size in (rows, 4 * rows):
            yield Case(layout, "made", make, rows=size)
    if data is not None:
        market = data / "market"
        yield Case("csv", "real, all files", root=market / "spot-2024-08")
        yield Case("frames", "real, all streams", root=market / "frames")


def measure(case: Case) -> Measured:
    """Make what a case needs and replay it, each in a process of its own."""
    if case.make is None:
        return apart(run, case, case.root)
    with tempfile.TemporaryDirectory(prefix="aegis-replay-") as folder:
        apart(case.make, Path(folder), case.rows)
        return apart(run, case, Path(folder))


def line(case: Case, found: Measured) -> list[str]:
    """One row of the table."""
    return [
        case.layout,
        case.what,
        str(found.topics),
        f"{found.rows:,}",
        f"{found.megabytes:.1f}",
        f"{found.rows / found.seconds:,.0f}",
        str(found.bad),
        f"{found.peak:.0f}",
        f"{found.peak - found.before:.0f}",
    ]


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks/replay", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--rows", type=int, default=0, help="rows of the smaller made sources")
    parser.add_argument("--data", type=Path, help="real files; AEGIS_DATA names them, too")
    options = parser.parse_args(arguments)
    named = options.data or (Path(os.environ["AEGIS_DATA"]) if "AEGIS_DATA" in os.environ else None)
    rows = options.rows or (QUICK if options.quick else FULL)
    lines = []
    for case in cases(rows, named):
        report.progress(f"{case.layout}, {case.what}{f', {case.rows:,} rows' * bool(case.rows)}")
        lines.append(line(case, measure(case)))
    print(report.table(HEADINGS, lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
