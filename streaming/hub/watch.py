"""What is known of the topics of a process now and over the last two minutes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from streaming.core.pulse import Pulse
from streaming.core.pulse import age as age_of
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
# So many topics and subscriptions are looked at before others have their turn.
STEP = 250


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
        return self.slowest is not None and is_behind(self.slowest.lag, self.lag_seconds)

    def age(self, lag: int) -> float | None:
        """How long ago the record was new that is ``lag`` records before the head, in seconds."""
        return age_of(self.rates, self.step, lag)


def is_behind(lag: int, seconds: float | None) -> bool:
    """Whether a lag of so many records and seconds (None: of unknown age) is worth a look."""
    return lag > 0 and (seconds is None or seconds >= BEHIND_SECONDS or lag >= BEHIND_RECORDS)


@dataclass(frozen=True, slots=True)
class Odd:
    """The topics that are worth a look, by why."""

    silent: set[Key]
    behind: set[Key]
    dropping: set[Key]

    def note(self, key: Key, reading: Reading) -> None:
        """Put a topic where its reading belongs."""
        if reading.is_silent:
            self.silent.add(key)
        if reading.is_behind:
            self.behind.add(key)
        if reading.is_dropping:
            self.dropping.add(key)


Readings = Mapping[str, Reading]
"""Readings of the topics of one session, by name."""


class Watch:
    """Looks at every open topic of a hub, and keeps what other processes told of theirs."""

    def __init__(self) -> None:
        self._pulses: dict[Key, Pulse] = {}
        self._dropped: dict[Key, tuple[int, float]] = {}
        self._told: dict[str, dict[str, Readings]] = {}
        self._at = self._step = self._odd_at = 0.0
        self._odd = Odd(set(), set(), set())
        self.missing = 0

    def look(self, hub: Topics, *, at: float) -> None:
        """Take one look at all topics; ``at`` is in seconds of a clock that only goes forward."""
        for _ in self.looking(hub, at=at):
            pass

    def looking(self, hub: Topics, *, at: float) -> Iterator[None]:
        """The same in steps of about a millisecond, between which others may have their turn."""
        lines = hub.board.lines
        for gone in self._pulses.keys() - lines.keys():
            del self._pulses[gone]
            self._dropped.pop(gone, None)
        done = 0
        for key, line in tuple(lines.items()):
            self._look(key, line, at)
            done += 1 + len(line.subscriptions)
            if done >= STEP:
                done = 0
                yield
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

    def encoded(self, hub: Topics, *, at: float) -> Iterator[tuple[str, bytes, bytes]]:
        """
        What this process sees, session by session, as other processes read it.

        Beside it the same without ``quiet``, by which one knows whether more than time went by.
        """
        held: dict[str, list[Line]] = defaultdict(list)
        for (session_id, _), line in hub.board.lines.items():
            held[session_id].append(line)
        for session_id, lines in held.items():
            seen = {line.key[1]: self._read(hub, line, at) for line in lines}
            still = {name: msgspec.structs.replace(one, quiet=0.0) for name, one in seen.items()}
            yield session_id, msgspec.json.encode(seen), msgspec.json.encode(still)

    def pulse(self, key: Key) -> Pulse | None:
        """What was seen of a topic that is open here."""
        return self._pulses.get(key)

    def told_of(self, session_id: str) -> Iterator[tuple[str, Reading]]:
        """What other processes told of the topics of a session."""
        for told in self._told.values():
            yield from told.get(session_id, {}).items()

    def sessions(self, hub: Topics) -> set[str]:
        """The sessions of which any topic is known, here or elsewhere."""
        here = {session_id for session_id, _ in hub.board.lines}
        return here.union(*self._told.values())

    def read(self, hub: Topics, session_id: str, *, at: float) -> dict[str, Reading]:
        """The topics of a session as all processes see them together."""
        names = {line.key[1] for line in hub.board.of(session_id)}
        names = names.union(*(told.get(session_id, ()) for told in self._told.values()))
        found = self.of(hub, [(session_id, name) for name in names], at=at)
        return {name: reading for (_, name), reading in found.items()}

    def of(self, hub: Topics, keys: Iterable[Key], *, at: float) -> dict[Key, Reading]:
        """These topics as all processes see them together, as far as any knows them."""
        found = {}
        for key in keys:
            line = hub.board.lines.get(key)
            seen = [] if line is None else [self._read(hub, line, at)]
            told = (one.get(key[0], {}).get(key[1]) for one in self._told.values())
            seen += [one for one in told if one is not None]
            if seen:
                found[key] = merge(seen)
        return found

    def odd(self, hub: Topics) -> Odd:
        """Which topics were worth a look at the last look, in any process."""
        if self._odd_at != self._at:
            self._odd, self._odd_at = self._find_odd(hub), self._at
        return self._odd

    def _find_odd(self, hub: Topics) -> Odd:
        odd = Odd(set(), set(), set())
        for process in self._told.values():
            for session_id, readings in process.items():
                for name, reading in readings.items():
                    odd.note((session_id, name), reading)
        for key, line in hub.board.lines.items():
            pulse = self._pulses.get(key)
            if pulse is not None:
                self._note_odd(odd, line, pulse)
        return odd

    def _note_odd(self, odd: Odd, line: Line, pulse: Pulse) -> None:
        key = line.key
        if not pulse.is_silent(self._at) or line.ending is not None:
            odd.silent.discard(key)
        else:
            odd.silent.add(key)
        lag = max(
            (figures.lag(one) for one in line.subscriptions if one.connection.is_open), default=0
        )
        if is_behind(lag, pulse.age(lag)):
            odd.behind.add(key)
        if line.counters.dropped and self._is_dropping(key, line.counters.dropped, self._at):
            odd.dropping.add(key)

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
            is_dropping=self._is_dropping(key, seen.dropped, at),
            lag_seconds=pulse.age(seen.lag),
            slowest=behind,
            policies=sorted({one.policy for one in slow}),
            writers=hub.writers(key),
            subscribers=slow[:SLOWEST],
        )

    def _is_dropping(self, key: Key, dropped: int, at: float) -> bool:
        count, since = self._dropped.get(key, (0, at))
        return dropped > 0 and (dropped > count or at - since < DROPPING_SECONDS)


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
