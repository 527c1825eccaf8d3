"""How fast the topics of sessions go, in figures that cost little to read."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from streaming.hub import figures
from streaming.hub.line import Line
from streaming.hub.topics import Topics
from streaming.hub.watch import Reading, Watch


@dataclass(frozen=True, slots=True)
class Pace:
    """
    Records per second now (None before two looks), and those of the last looks, the oldest first.

    ``lags`` are the ages in seconds of what subscribers lack: one for each topic that has any.
    """

    rate: float | None = None
    rates: Sequence[float] = ()
    lags: Sequence[float] = ()


def of_sessions(hub: Topics, watch: Watch, session_ids: Collection[str]) -> dict[str, Pace]:
    """The pace of each session, all its topics in all processes together."""
    seen: dict[str, dict[str, Pace]] = {one: {} for one in session_ids}
    for (session_id, name), line in hub.board.lines.items():
        if session_id in seen:
            seen[session_id][name] = _of_line(watch, line)
    for session_id, topics in seen.items():
        for name, reading in watch.told_of(session_id):
            _keep_fastest(topics, name, _of_reading(reading))
    return {one: together(topics.values()) for one, topics in seen.items()}


def together(paces: Iterable[Pace]) -> Pace:
    """The pace of several that go at the same time."""
    found = list(paces)
    rates = [one.rate for one in found if one.rate is not None]
    lines = zip_longest(*(reversed(one.rates) for one in found), fillvalue=0.0)
    return Pace(
        rate=sum(rates) if rates else None,
        rates=[sum(line) for line in lines][::-1],
        lags=[lag for one in found for lag in one.lags],
    )


def _keep_fastest(topics: dict[str, Pace], name: str, other: Pace) -> None:
    """Where several processes see the same topic, whoever publishes there sees it move first."""
    if name not in topics or (other.rate or 0) > (topics[name].rate or 0):
        topics[name] = other


def _of_line(watch: Watch, line: Line) -> Pace:
    pulse = watch.pulse(line.key)
    if pulse is None:
        return Pace()
    lag = max(map(figures.lag, line.subscriptions), default=None)
    age = None if lag is None else pulse.age(lag)
    return Pace(pulse.rate, pulse.rates, () if age is None else (age,))


def _of_reading(reading: Reading) -> Pace:
    age = reading.lag_seconds if reading.figures.subscribers else None
    return Pace(reading.rate, reading.rates, () if age is None else (age,))
