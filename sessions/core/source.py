"""What a historical session replays, as its ``config.source`` says it."""

from dataclasses import dataclass
from typing import Any

from aegis_project.kit.errors import ValidationFailed
from streaming.core import topics
from streaming.sources import clock_range
from streaming.sources.clock_range import ClockRange

LAYOUTS = frozenset({"csv"})
SLOWEST, FASTEST = 0.25, 100
KNOWN = frozenset({"layout", "dataset", "topics", "from", "to", "speed", "open"})


@dataclass(frozen=True, slots=True)
class Source:
    """
    Which topics of which dataset, from when to when, how fast.

    ``speed`` 0 is as fast as every running component takes it, else times real time. ``by_open``
    puts a kline at its open time instead of its close time.
    """

    dataset: str
    topics: tuple[str, ...]
    range: ClockRange
    speed: float = 0.0
    by_open: bool = False


def read(value: Any) -> Source:
    """
    The source that a client describes.

    :raises ValidationFailed: naming the field that cannot be
    """
    if not isinstance(value, dict):
        raise _wrong("source", "an object")
    unknown = sorted(set(value) - KNOWN)
    if unknown:
        raise ValidationFailed("The source has unknown fields.", fields=unknown)
    if value.get("layout", "csv") not in LAYOUTS:
        raise _wrong("source.layout", "csv")
    return Source(
        dataset=_dataset(value),
        topics=_topics(value),
        range=clock_range.parse(from_=_instant(value, "from"), to=_instant(value, "to")),
        speed=_speed(value),
        by_open=_flag(value, "open"),
    )


def _dataset(value: dict[str, Any]) -> str:
    name = value.get("dataset")
    if not isinstance(name, str) or not name:
        raise _wrong("source.dataset", "the name of a dataset")
    return name


def _topics(value: dict[str, Any]) -> tuple[str, ...]:
    names = value.get("topics", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _wrong("source.topics", "a list of topic names")
    return tuple(dict.fromkeys(topics.check(name) for name in names))


def _instant(value: dict[str, Any], name: str) -> int | str | None:
    found = value.get(name)
    if isinstance(found, bool) or not isinstance(found, int | str | None):
        raise _wrong(f"source.{name}", "unix milliseconds or ISO 8601")
    return found


def _speed(value: dict[str, Any]) -> float:
    speed = value.get("speed", 0)
    is_number = isinstance(speed, int | float) and not isinstance(speed, bool)
    if not is_number or not (speed == 0 or SLOWEST <= speed <= FASTEST):
        raise _wrong("source.speed", f"0 or from {SLOWEST} to {FASTEST}")
    return float(speed)


def _flag(value: dict[str, Any], name: str) -> bool:
    found = value.get(name, False)
    if not isinstance(found, bool):
        raise _wrong(f"source.{name}", "true or false")
    return found


def _wrong(field: str, form: str) -> ValidationFailed:
    return ValidationFailed(f"{field} must be {form}.", field=field)
