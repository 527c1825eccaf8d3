"""A historical source: which topics of what, and over what range."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from aegis_project.kit.errors import ValidationFailed
from streaming.core import topics
from streaming.core.errors import TopicNotFound
from streaming.sources import (
    clock,
    clock_range,
    csv_layout,
    csv_reader,
    frames_names,
    frames_reader,
)
from streaming.sources.blocks import TopicSource
from streaming.sources.clock_range import ClockRange
from streaming.sources.csv_columns import KLINES
from streaming.sources.csv_reader import CsvTopic
from streaming.sources.frames_reader import FrameTopic

# What all topics together may have in memory at once, as text.
ALL_BLOCKS_BYTES = 4 * 2**20
LEAST_BLOCK_BYTES = 4096
RECORDING = "recording"


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """
    What ``config.source`` says of the data: the dataset's directory, topics, range, kline clock.

    With ``is_open_clock`` a kline's time is its ``open_time`` and not its ``close_time``. The
    layout ``recording`` has no directory, but the ``session`` whose topics were recorded.
    """

    root: Path
    topics: tuple[str, ...]
    range: ClockRange = field(default_factory=ClockRange)
    is_open_clock: bool = False
    layout: str = "csv"
    session: str = ""


class Layout(NamedTuple):
    """
    How files of one kind lie in a dataset.

    ``spelled`` gives the one spelling of a topic's name (and raises ``TopicNotFound`` for one that
    such files cannot have), ``topics`` lists what a directory has, ``files`` the names of those
    that a topic is read from, ``open`` opens these topics.
    """

    spelled: Callable[[str], str]
    topics: Callable[[Path], list[str]]
    files: Callable[[Path, str], list[str]]
    open: Callable[[SourceSpec, Sequence[str]], Sequence[TopicSource]]


def read_spec(config: Mapping[str, Any], *, datasets: Mapping[str, Path]) -> SourceSpec:
    """
    The source that a session's ``config.source`` describes; opens no file.

    Topics get their one spelling. What concerns the driver (speed, loop, lockstep) is not looked
    at, nor whether a recorded session is there.

    :raises ValidationFailed: for a layout or dataset that is not here, or members of another form
    :raises TopicNotFound: for a topic that files of this layout cannot have
    """
    layout = config.get("layout", "csv")
    if layout not in {*LAYOUTS, RECORDING}:
        raise ValidationFailed("This source has an unknown layout.", layouts=[*LAYOUTS, RECORDING])
    is_open = config.get("open", False)
    if not isinstance(is_open, bool):
        raise ValidationFailed("open is true or false.")
    root, session = _whence(config, layout, datasets)
    names = _topics(config.get("topics"), layout)
    return SourceSpec(root, names, _range(config), is_open, layout, session)


def _whence(
    config: Mapping[str, Any], layout: str, datasets: Mapping[str, Path]
) -> tuple[Path, str]:
    if layout == RECORDING:
        session = config.get("session")
        if not isinstance(session, str) or not session:
            raise ValidationFailed("A recording is that of a session.", field="source.session")
        return Path(), session
    root = datasets.get(str(config.get("dataset")))
    if root is None:
        raise ValidationFailed(
            "The source names no dataset of this server.", datasets=sorted(datasets)
        )
    return root, ""


def _topics(value: Any, layout: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise ValidationFailed("A source has a list of topics.")
    return tuple(dict.fromkeys(_spelled(topic, layout) for topic in value))


def _spelled(topic: str, layout: str) -> str:
    checked = topics.check_pattern(topic)
    if topics.is_pattern(checked) or layout == RECORDING:
        return checked
    return LAYOUTS[layout].spelled(checked)


def _range(config: Mapping[str, Any]) -> ClockRange:
    ends = [config.get("from"), config.get("to")]
    if not all(end is None or isinstance(end, int | str) for end in ends):
        raise ValidationFailed("from and to are unix milliseconds or ISO 8601.")
    return clock_range.parse(from_=ends[0], to=ends[1])


@dataclass(frozen=True)
class Source:
    """The topics of a source, in clock order, each ready to be read."""

    spec: SourceSpec
    topics: Sequence[TopicSource]

    def fingerprint(self, epochs: Mapping[str, str]) -> str:
        """
        What a checkpoint rests on: range, clock, epochs, and what each topic is read from.

        :raises SourceUnreadable: when a file is gone
        """
        facts = [[topic.topic, epochs[topic.topic], *topic.facts()] for topic in self.topics]
        spec = [self.spec.range.from_ms, self.spec.range.to_ms, self.spec.is_open_clock]
        return hashlib.sha256(json.dumps([spec, facts]).encode()).hexdigest()[:16]


class Inventory(NamedTuple):
    """How many files a source is read from, and the topics or patterns that have none."""

    files: int
    missing: list[str]


def look(spec: SourceSpec) -> Inventory:
    """What of a source is there; reads directories, so not for the event loop. Recordings have none."""
    layout = LAYOUTS[spec.layout]
    names = chosen(spec.topics, lambda: layout.topics(spec.root))
    found = {name: layout.files(spec.root, name) for name in names}
    files = {file for several in found.values() for file in several}
    return Inventory(len(files), [name for name, several in found.items() if not several])


def open_source(spec: SourceSpec) -> Source:
    """
    Find the files of every topic; reads directories, so not for the event loop.

    A pattern stands for all topics of the dataset that match it. Recordings are opened by
    ``tape_reader``.

    :raises TopicNotFound: naming the topic or pattern that has no file at all
    """
    layout = LAYOUTS[spec.layout]
    names = chosen(spec.topics, lambda: layout.topics(spec.root))
    return Source(spec, clock.in_order(layout.open(spec, names)))


def chosen(wanted: Sequence[str], known: Callable[[], Sequence[str]]) -> list[str]:
    """The names of topics that are meant; a pattern that nothing matches stays one."""
    names: dict[str, None] = {}
    for topic in wanted:
        is_pattern = topics.is_pattern(topic)
        found = [name for name in known() if topics.matches(topic, name)] if is_pattern else []
        names.update(dict.fromkeys(found or [topic]))
    return list(names)


def block_bytes(count: int, *, most: int) -> int:
    """How much of each of so many topics may be in memory at once."""
    return max(LEAST_BLOCK_BYTES, min(most, ALL_BLOCKS_BYTES // count))


def missing(topic: str) -> TopicNotFound:
    """The refusal of a topic that has no file at all."""
    return TopicNotFound(f"There is no file for the topic {topic}.", topic=topic)


def _open_csv(spec: SourceSpec, names: Sequence[str]) -> list[CsvTopic]:
    size = block_bytes(len(names), most=csv_reader.BLOCK_BYTES)
    return [_open_csv_topic(spec, name, size) for name in names]


def _open_csv_topic(spec: SourceSpec, topic: str, size: int) -> CsvTopic:
    name = csv_layout.read_name(topic)
    files = csv_layout.files(spec.root, name) if name else []
    if name is None or not files:
        raise missing(topic)
    columns = name.columns
    if columns is KLINES and spec.is_open_clock:
        columns = replace(columns, clock="open_time")
    return CsvTopic(spec.root, name, files, columns, spec.range, size)


def _open_frames(spec: SourceSpec, names: Sequence[str]) -> list[FrameTopic]:
    size = block_bytes(len(names), most=frames_reader.BLOCK_BYTES)
    reported: set[str] = set()
    found = []
    for topic in names:
        name = frames_names.read_name(topic)
        files = frames_names.files(spec.root, name) if name else []
        if name is None or not files:
            raise missing(topic)
        # Lines that are no frame of any stream are told once.
        leads = frozenset(files) - reported
        reported |= leads
        found.append(FrameTopic(spec.root, name, files, leads, spec.range, size))
    return found


def _csv_files(root: Path, topic: str) -> list[str]:
    name = csv_layout.read_name(topic)
    return [file.name for file in csv_layout.files(root, name)] if name else []


def _frame_files(root: Path, topic: str) -> list[str]:
    name = frames_names.read_name(topic)
    return frames_names.files(root, name) if name else []


LAYOUTS = {
    "csv": Layout(csv_layout.canonical, csv_layout.topics, _csv_files, _open_csv),
    "frames": Layout(frames_names.canonical, frames_names.topics, _frame_files, _open_frames),
}
