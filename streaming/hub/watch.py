"""What is known of the topics of a process now and over the last two minutes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from streaming.core.pulse import Pulse
from streaming.engines.base import Key
from streaming.hub import figures
from streaming.hub.figures import SubscriberFigures, TopicFigures
from streaming.hub.line import Line
from streaming.hub.topics import Topics

# The slowest subscribers of a topic are told; of the others there is a number.
SLOWEST = 100
DROPPING_SECONDS = 120.0
BEHIND_SECONDS = 2.0
BEHIND_RECORDS = 1000


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """
    A topic as one process sees it, or as all do together (:func:`merge`).

    ``rate`` and ``size`` are records and bytes per second now, None before two looks; ``rates``
    and ``lags`` those of the last looks, the oldest first, ``step`` seconds apart. ``quiet`` is
    the time since it last moved and ``gap`` what is normal, in seconds. ``slowest`` is the most
    backward subscriber whose gate is open, if one lacks anything, and ``lag_seconds`` the age of
    the oldest record that any lacks, None for longer than is remembered.
    """

    figures: TopicFigures
    rate: float | None = None
    size: float | None = None
    rates: list[float] = []
    lags: list[float] = []
    step: float = 0.0
    quiet: float = 0.0
    gap: float | None = None
    is_silent: bool = False
    is_dropping: bool = False
    lag_seconds: float | None = 0.0
    slowest: SubscriberFigures | None = None
    policies: list[str] = []
    writers: list[str] = []
    subscribers: list[SubscriberFigures] = []

    @property
    def is_behind(self) -> bool:
        """Whether a subscriber whose gate is open is worth a look."""
        if self.slowest is None:
            return False
        seconds = self.lag_seconds
        return seconds is None or seconds >= BEHIND_SECONDS or self.slowest.lag >= BEHIND_RECORDS


Readings = Mapping[str, Reading]
"""Readings of the topics of one session, by name."""


class Watch:
    """Looks at every open topic of a hub, and keeps what other processes told of theirs."""

    def __init__(self) -> None:
        self._pulses: dict[Key, Pulse] = {}
        self._dropped: dict[Key, tuple[int, float]] = {}
        self._told: dict[str, dict[str, Readings]] = {}
        self._at = self._step = 0.0
        self.missing = 0

    def look(self, hub: Topics, *, at: float) -> None:
        """Take one look at all topics; ``at`` is in seconds of a clock that only goes forward."""
        lines = hub.board.lines
        for gone in self._pulses.keys() - lines.keys():
            del self._pulses[gone]
            self._dropped.pop(gone, None)
        for key, line in lines.items():
            self._look(key, line, at)
        self._step, self._at = at - self._at if self._at else 0.0, at

    def _look(self, key: Key, line: Line, at: float) -> None:
        log, counters = line.log, line.counters
        lag = max(map(figures.lag, line.subscriptions), default=0)
        pulse = self._pulses.get(key) or self._pulses.setdefault(key, Pulse())
        pulse.note(at=at, epoch=log.epoch, head=log.head, size=counters.bytes, lag=lag)
        if counters.dropped > self._dropped.get(key, (0, 0.0))[0]:
            self._dropped[key] = (counters.dropped, at)

    def told(self, readings: Mapping[str, Mapping[str, Readings]], *, missing: int) -> None:
        """Keep what other processes told, by process and session; so many others did not."""
        self._told = {process: dict(told) for process, told in readings.items()}
        self.missing = missing

    def here(self, hub: Topics, session_id: str, *, at: float) -> dict[str, Reading]:
        """The topics of a session as this process sees them."""
        return {line.key[1]: self._read(hub, line, at) for line in hub.board.of(session_id)}

    def encoded(self, hub: Topics, *, at: float) -> dict[str, tuple[bytes, bytes]]:
        """
        What this process sees, by session, as other processes read it.

        Beside it the same without ``quiet``, by which one knows whether more than time went by.
        """
        held = {session_id for session_id, _ in hub.board.lines}
        found = {}
        for key in held:
            seen = self.here(hub, key, at=at)
            still = {name: msgspec.structs.replace(one, quiet=0.0) for name, one in seen.items()}
            found[key] = msgspec.json.encode(seen), msgspec.json.encode(still)
        return found

    def sessions(self, hub: Topics) -> set[str]:
        """The sessions of which any topic is known, here or elsewhere."""
        here = {session_id for session_id, _ in hub.board.lines}
        return here.union(*self._told.values())

    def read(self, hub: Topics, session_id: str, *, at: float) -> dict[str, Reading]:
        """The topics of a session as all processes see them together."""
        found: dict[str, list[Reading]] = defaultdict(list)
        elsewhere = (told.get(session_id, {}) for told in self._told.values())
        everywhere: list[Readings] = [self.here(hub, session_id, at=at), *elsewhere]
        for readings in everywhere:
            for name, reading in readings.items():
                found[name].append(reading)
        return {name: merge(readings) for name, readings in found.items()}

    def _read(self, hub: Topics, line: Line, at: float) -> Reading:
        key = line.key
        seen, pulse = figures.of_line(line), self._pulses.get(key) or Pulse()
        slow = sorted(map(figures.of_subscription, line.subscriptions), key=_backward)
        behind = next((one for one in slow if one.is_open and one.lag), None)
        return Reading(
            figures=seen,
            rate=pulse.rate,
            size=None if seen.is_source else pulse.size,
            rates=list(pulse.rates),
            lags=list(pulse.lags),
            step=self._step,
            quiet=pulse.quiet(at),
            gap=pulse.gap if pulse.is_known else None,
            is_silent=pulse.is_silent(at) and not seen.is_ended,
            is_dropping=self._is_dropping(key, seen, at),
            lag_seconds=pulse.age(seen.lag),
            slowest=behind,
            policies=sorted({one.policy for one in slow}),
            writers=hub.writers(key),
            subscribers=slow[:SLOWEST],
        )

    def _is_dropping(self, key: Key, seen: TopicFigures, at: float) -> bool:
        count, since = self._dropped.get(key, (0, at))
        return seen.dropped > 0 and (seen.dropped > count or at - since < DROPPING_SECONDS)

    def age(self, key: Key, lag: int) -> float | None:
        """How long ago the record was new that is ``lag`` records before a topic's head."""
        pulse = self._pulses.get(key)
        return pulse.age(lag) if pulse else 0.0


def _backward(one: SubscriberFigures) -> int:
    return -one.lag


def merge(readings: Iterable[Reading]) -> Reading:
    """
    One reading of what several processes see of the same topic.

    The log is told by whoever sees it furthest; subscribers and what was published add up.
    """
    all_ = sorted(readings, key=lambda one: (one.figures.head, one.figures.last_ts), reverse=True)
    first, *others = all_
    if not others:
        return first
    subscribers = sorted((sub for one in all_ for sub in one.subscribers), key=_backward)
    worst = max(all_, key=lambda one: one.figures.lag)
    summed = ("records", "bytes", "subscribers", "deliveries", "gaps", "dropped")
    sums = {name: sum(getattr(one.figures, name) for one in all_) for name in summed}
    last_ts = max(one.figures.last_ts for one in all_)
    seen = msgspec.structs.replace(first.figures, **sums, last_ts=last_ts, lag=worst.figures.lag)
    sizes = [one.size for one in all_ if one.size is not None]
    return msgspec.structs.replace(
        first,
        figures=seen,
        size=sum(sizes) if sizes else None,
        lags=worst.lags,
        quiet=min(one.quiet for one in all_),
        is_silent=all(one.is_silent for one in all_),
        is_dropping=any(one.is_dropping for one in all_),
        lag_seconds=worst.lag_seconds,
        slowest=worst.slowest,
        policies=sorted({policy for one in all_ for policy in one.policies}),
        writers=list(dict.fromkeys(writer for one in all_ for writer in one.writers)),
        subscribers=subscribers[:SLOWEST],
    )
