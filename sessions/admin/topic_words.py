"""What is known of a topic, in words and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aegis_project import marks
from sessions.core.lifecycle import Mode, State
from streaming.core import rules
from streaming.core.rules import Rule
from streaming.hub.figures import TopicFigures
from streaming.hub.watch import Reading
from streaming.models import Log

DEFAULT_POLICY = {Mode.REALTIME.value: "drop", Mode.HISTORICAL.value: "block"}
FACTORS = ("B", "kB", "MB", "GB")


@dataclass(frozen=True, slots=True)
class Seen:
    """A topic's row with its reading, and the names of the components that the reading names."""

    log: Log
    reading: Reading | None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def session(self) -> Any:
        """The session that the topic is of."""
        return self.log.session

    @property
    def key(self) -> tuple[str, str]:
        """How the hub names the topic."""
        return str(self.log.session_id), self.log.name

    @property
    def place(self) -> Log | TopicFigures:
        """Where the topic stands: as its hub knows it where it is open, else as it is listed."""
        return self.reading.figures if self.reading else self.log

    @property
    def rule(self) -> Rule:
        """What the session says of this topic."""
        return rules.read(self.session.config.get("topics")).of(self.log.name)

    @property
    def is_recorded(self) -> bool:
        """Whether its records are written to the tape."""
        return self.log.recorded or self.rule.recorded

    @property
    def is_silent(self) -> bool:
        """Whether it is quiet for longer than is normal, while its session runs."""
        is_running = self.session.state == State.RUNNING
        return is_running and self.reading is not None and self.reading.is_silent

    @property
    def last_at(self) -> datetime | None:
        """The time of the last record, as far as it is known."""
        last = self.reading.figures.last_ts if self.reading else 0
        return datetime.fromtimestamp(last / 1000, tz=UTC) if last else None

    @property
    def quiet(self) -> float:
        """Seconds since the topic was last seen to move."""
        return self.reading.quiet if self.reading else 0.0

    @property
    def publishers(self) -> list[str]:
        """Who publishes, by name."""
        if self.reading is None:
            return []
        if self.reading.figures.is_source:
            return ["replay"]
        return [self.name(one) for one in self.reading.writers]

    @property
    def policy(self) -> str:
        """The overflow policies of the subscribers; without any, what a new one would have."""
        policies = self.reading.policies if self.reading else []
        return ", ".join(policies) or DEFAULT_POLICY.get(self.session.mode, "drop")

    def name(self, who: str) -> str:
        """A component by its name, anybody else by their label."""
        return self.names.get(who) or who.rpartition(":")[2][:36]


def parties(reading: Reading | None) -> set[str]:
    """The ids of all components that a reading names."""
    if reading is None:
        return set()
    found = {one.component_id for one in reading.subscribers} | set(reading.writers)
    return {one for one in found if ":" not in one}


def silence(seen: Seen, now: datetime) -> str:
    """The sentence of a silent topic; empty for any other."""
    if not seen.is_silent or seen.reading is None:
        return ""
    seconds = (now - seen.last_at).total_seconds() if seen.last_at else seen.quiet
    gap = seconds_of(seen.reading.gap or 0)
    return f"{seen.log.name} silent {marks.duration(seconds)}, normal gap {gap}."


def backlog(seen: Seen) -> str:
    """The sentence of a topic with a subscriber that falls behind; empty for any other."""
    reading = seen.reading
    if reading is None or reading.slowest is None or not reading.is_behind:
        return ""
    who = seen.name(reading.slowest.component_id)
    behind = marks.number(reading.slowest.lag)
    return f"{seen.log.name}: {who} is {behind} record{plural(reading.slowest.lag)} behind."


def production(seen: Seen) -> str:
    """Who produces how much, and who falls behind, in one sentence."""
    if seen.reading is None or seen.reading.rate is None:
        return "No process has this topic open."
    who = " and ".join(seen.publishers) or "Nobody known"
    made = f"{who} produce{'' if len(seen.publishers) > 1 else 's'} "
    made += f"{marks.rate(seen.reading.rate)} records per second; "
    if seen.reading.slowest is None:
        count = seen.reading.figures.subscribers
        return made + ("nobody is subscribed." if not count else "nobody falls behind.")
    slow = seen.reading.slowest
    return made + f"{seen.name(slow.component_id)} is {marks.number(slow.lag)} behind."


def plural(count: float) -> str:
    """The ending of more than one, or none."""
    return "" if count == 1 else "s"


def seconds_of(value: float) -> str:
    """A short time: ``0.1 s``, ``6.4 s``, ``46 s``, ``1:46``."""
    return f"{max(value, 0.1):.1f} s" if value < 9.95 else marks.duration(value)


def size(value: float) -> str:
    """Bytes: ``214 B``, ``1.8 kB``, ``142 kB``."""
    for unit in FACTORS[:-1]:
        if value < 999.5:
            return f"{marks.rate(value) if unit != 'B' else marks.number(value)} {unit}"
        value /= 1000
    return f"{marks.rate(value)} {FACTORS[-1]}"
