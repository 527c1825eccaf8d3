"""The table of specification 3.7: what was measured against what must be and what is aimed at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import slow, storm
from benchmarks.load import Result
from benchmarks.report import middle, table

if TYPE_CHECKING:
    from benchmarks.fanout import Row

COLUMNS = ("what", "measured", "must", "aim", "verdict", "by CPU")
KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    One line; ``measured`` is None when it could not be, for the reason in ``why``.

    ``by_cpu`` is the same ratio of CPU time per delivery, which a busy machine does not spoil.
    """

    what: str
    measured: float | None
    must: float
    aim: float
    unit: str = ""
    is_less_better: bool = False
    why: str = ""
    by_cpu: float | None = None

    @property
    def word(self) -> str:
        """Which bar was reached."""
        if self.measured is None:
            return f"not measured: {self.why or 'not asked for'}"
        if self._reaches(self.aim):
            return "aim"
        return "must" if self._reaches(self.must) else "FALLS SHORT"

    def _reaches(self, bar: float) -> bool:
        assert self.measured is not None
        return self.measured <= bar if self.is_less_better else self.measured >= bar

    def cells(self) -> list[str]:
        """The line of the table."""
        values = (self.measured, self.must, self.aim)
        return [
            self.what,
            *(_text(value, self.unit) for value in values),
            self.word,
            _text(self.by_cpu, "x"),
        ]


@dataclass(slots=True)
class Measured:
    """Everything of one run; ``missing`` says of candidates why they did not run."""

    rows: Sequence["Row"]
    storm: storm.Result | None
    slow: dict[str, slow.Result]
    missing: dict[str, str]

    def row(self, server: str, name: str) -> "Row | None":
        """What was measured of a candidate."""
        found = [
            row
            for row in self.rows
            if (row.candidate.server, row.candidate.name) == (server, name) and row.flood
        ]
        return found[0] if found else None

    def quickest(self, name: str) -> "Row | None":
        """The fastest of those who have this name, on whatever server."""
        found = [row for row in self.rows if row.candidate.name == name and row.flood]
        return max(found, key=lambda row: middle(row.flood, rate), default=None)


def verdicts(run: Measured) -> list[Verdict]:
    """The lines of the table, in the order of the specification."""
    return [*_fan_out(run), *_paced(run), *_storm(run), *_slow(run), _faults(run)]


def shown(found: Sequence[Verdict]) -> str:
    """The table for people."""
    return table(COLUMNS, [one.cells() for one in found])


def rate(result: Result) -> float:
    """Deliveries per second."""
    return result.rate


def cost(result: Result) -> float:
    """CPU time per delivery."""
    return result.cpu_per_100k


def _fan_out(run: Measured) -> list[Verdict]:
    uvicorn, daphne = (run.row(server, "aegis (batch)") for server in ("uvicorn", "daphne"))
    naive = {server: run.row(server, "group_send (redis)") for server in ("uvicorn", "daphne")}
    tuned = {server: run.row(server, "tuned Channels") for server in ("uvicorn", "daphne")}
    nats, socket_io = run.quickest("nats-server"), run.quickest("socket.io")
    valkey = run.row("uvicorn", "aegis (batch, Valkey)")
    lines = [
        ("batch, uvicorn, vs group_send", uvicorn, naive["uvicorn"], 150, 350),
        ("batch, Daphne, vs group_send", daphne, naive["daphne"], 50, 200),
        ("batch, uvicorn, vs tuned Channels", uvicorn, tuned["uvicorn"], 40, 100),
        ("batch, Daphne, vs tuned Channels", daphne, tuned["daphne"], 20, 100),
        ("batch, uvicorn, vs nats-server", uvicorn, nats, 0.5, 1),
        ("batch, uvicorn, vs socket.io", uvicorn, socket_io, 10, 20),
        ("through Valkey vs in-process, uvicorn", valkey, uvicorn, 0.6, 0.9),
    ]
    return [_ratio(run, *line) for line in lines]


def _ratio(
    run: Measured, what: str, ours: "Row | None", theirs: "Row | None", must: float, aim: float
) -> Verdict:
    if ours is None or theirs is None:
        why = " and ".join(run.missing[name] for name in run.missing if name in what)
        return Verdict(what, None, must, aim, "x", why=why)
    faster = middle(ours.flood, rate) / middle(theirs.flood, rate)
    by_cpu = middle(theirs.flood, cost) / middle(ours.flood, cost)
    return Verdict(what, faster, must, aim, "x", by_cpu=by_cpu)


def _paced(run: Measured) -> list[Verdict]:
    single, naive = run.row("uvicorn", "aegis (single)"), run.row("uvicorn", "group_send (redis)")
    batch = run.row("uvicorn", "aegis (batch)")
    share = None
    if single is not None and naive is not None:
        share = middle(naive.slow, cost) / middle(single.slow, cost)
    return [
        Verdict("CPU per delivery, plain, Channels' by ours", share, 5, 10, "x"),
        Verdict("100 x 500 msg/s, p50", _wait(batch, 0.5), 6, 2.5, " ms", is_less_better=True),
        Verdict("100 x 500 msg/s, p99", _wait(batch, 0.99), 20, 8, " ms", is_less_better=True),
    ]


def _storm(run: Measured) -> list[Verdict]:
    found = run.storm
    why = run.missing.get("storm", "")
    return [
        Verdict(
            "RSS per idle subscriber, both sockets",
            found.idle_bytes / KIB if found else None,
            40,
            25,
            " KiB",
            is_less_better=True,
            why=why,
        ),
        Verdict(
            f"{found.components if found else 1000:,} components reconnect, all READY",
            found.whole_seconds if found else None,
            45,
            10,
            " s",
            is_less_better=True,
            why=why,
        ),
        Verdict(
            "refused among them",
            found.refusals.total() if found else None,
            0,
            0,
            is_less_better=True,
            why=why,
        ),
    ]


def _slow(run: Measured) -> list[Verdict]:
    lines = []
    for server, found in run.slow.items():
        cut = float("inf") if found.cut_seconds is None else found.cut_seconds
        others = found.beside.wait_ms(0.99) / max(found.calm.wait_ms(0.99), 0.001)
        lines += [
            Verdict(f"slow consumer cut, {server}", cut, 10, 10, " s", is_less_better=True),
            Verdict(
                f"it costs, {server}", found.grown_bytes / MIB, 2, 2, " MiB", is_less_better=True
            ),
            Verdict(f"others' p99 beside it, {server}", others, 2, 2, "x", is_less_better=True),
        ]
    return lines


def _faults(run: Measured) -> Verdict:
    results = [one for row in run.rows if row.is_ours for one in row.results()]
    results += [one for found in run.slow.values() for one in (found.calm, found.beside)]
    faults = sum(one.lost + one.disordered for one in results)
    if run.storm is not None:
        faults += run.storm.lost + run.storm.disordered
    return Verdict("lost, doubled or out of order, Aegis", faults, 0, 0, is_less_better=True)


def _wait(row: "Row | None", share: float) -> float | None:
    return middle(row.fast, _waiting(share)) if row is not None and row.fast else None


def _waiting(share: float) -> Callable[[Result], float]:
    return lambda result: result.wait_ms(share)


def _text(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}{unit}" if value >= 100 or value == int(value) else f"{value:.3g}{unit}"
