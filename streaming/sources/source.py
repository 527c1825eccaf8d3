"""A historical source: which topics of which dataset, and over what range."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aegis_project.kit.errors import ValidationFailed
from streaming.core import topics
from streaming.core.errors import TopicNotFound
from streaming.sources import clock, clock_range, csv_layout
from streaming.sources.clock_range import ClockRange
from streaming.sources.csv_columns import KLINES
from streaming.sources.csv_reader import BLOCK_BYTES, CsvTopic

LAYOUTS = ("csv",)
# What all topics together may have in memory at once, as text.
ALL_BLOCKS_BYTES = 4 * 2**20
LEAST_BLOCK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """
    What ``config.source`` says of the data: the dataset's directory, topics, range, kline clock.

    With ``is_open_clock`` a kline's time is its ``open_time`` and not its ``close_time``.
    """

    root: Path
    topics: tuple[str, ...]
    range: ClockRange = field(default_factory=ClockRange)
    is_open_clock: bool = False


def read_spec(config: Mapping[str, Any], *, datasets: Mapping[str, Path]) -> SourceSpec:
    """
    The source that a session's ``config.source`` describes; opens no file.

    Topics get their one spelling. What concerns the driver (speed, loop, lockstep) is not looked
    at.

    :raises ValidationFailed: for a layout or dataset that is not here, or members of another form
    :raises TopicNotFound: for a topic that files of this layout cannot have
    """
    if config.get("layout", "csv") not in LAYOUTS:
        raise ValidationFailed("This source has an unknown layout.", layouts=list(LAYOUTS))
    root = datasets.get(str(config.get("dataset")))
    if root is None:
        raise ValidationFailed(
            "The source names no dataset of this server.", datasets=sorted(datasets)
        )
    is_open = config.get("open", False)
    if not isinstance(is_open, bool):
        raise ValidationFailed("open is true or false.")
    return SourceSpec(root, _topics(config.get("topics")), _range(config), is_open)


def _topics(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise ValidationFailed("A source has a list of topics.")
    return tuple(dict.fromkeys(_spelled(topic) for topic in value))


def _spelled(topic: str) -> str:
    checked = topics.check_pattern(topic)
    return checked if topics.is_pattern(checked) else csv_layout.canonical(checked)


def _range(config: Mapping[str, Any]) -> ClockRange:
    ends = [config.get("from"), config.get("to")]
    if not all(end is None or isinstance(end, int | str) for end in ends):
        raise ValidationFailed("from and to are unix milliseconds or ISO 8601.")
    return clock_range.parse(from_=ends[0], to=ends[1])


@dataclass(frozen=True)
class Source:
    """The topics of a source, in clock order, each ready to be read."""

    spec: SourceSpec
    topics: Sequence[CsvTopic]

    def fingerprint(self, epochs: Mapping[str, str]) -> str:
        """
        What a checkpoint rests on: range, clock, epochs, names and sizes of the files.

        :raises SourceUnreadable: when a file is gone
        """
        facts = [
            [topic.topic, epochs[topic.topic], topic.block_bytes, topic.sizes()]
            for topic in self.topics
        ]
        spec = [self.spec.range.from_ms, self.spec.range.to_ms, self.spec.is_open_clock]
        return hashlib.sha256(json.dumps([spec, facts]).encode()).hexdigest()[:16]


def open_source(spec: SourceSpec) -> Source:
    """
    Find the files of every topic; reads directories, so not for the event loop.

    A pattern stands for all topics of the dataset that match it.

    :raises TopicNotFound: naming the topic or pattern that has no file at all
    """
    names = list(dict.fromkeys(name for topic in spec.topics for name in _named(spec, topic)))
    size = max(LEAST_BLOCK_BYTES, min(BLOCK_BYTES, ALL_BLOCKS_BYTES // len(names)))
    return Source(spec, clock.in_order([_open(spec, name, block_bytes=size) for name in names]))


def _named(spec: SourceSpec, topic: str) -> list[str]:
    if not topics.is_pattern(topic):
        return [topic]
    found = [name for name in csv_layout.topics(spec.root) if topics.matches(topic, name)]
    return found or [topic]


def _open(spec: SourceSpec, topic: str, *, block_bytes: int) -> CsvTopic:
    name = csv_layout.read_name(topic)
    files = csv_layout.files(spec.root, name) if name else []
    if name is None or not files:
        raise TopicNotFound(f"There is no file for the topic {topic}.", topic=topic)
    columns = name.columns
    if columns is KLINES and spec.is_open_clock:
        columns = replace(columns, clock="open_time")
    return CsvTopic(spec.root, name, files, columns, spec.range, block_bytes)
