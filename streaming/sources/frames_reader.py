"""Reading one stream of recorded frames, block by block and from any place."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import msgspec

from streaming.sources.blocks import BadRow, Place, RowReport
from streaming.sources.clock_range import ClockRange
from streaming.sources.frames_names import HEAD_BYTES, FrameName
from streaming.sources.inflating import Readers
from streaming.sources.stored_lines import Found, LinesTopic

BLOCK_BYTES = 131_072
LINE_BYTES = 4 * 2**20
"""A longer line is no frame."""
OPEN_FILES = 2

STREAM, SNAPSHOT = b'{"stream":"', b'{"lastUpdateId":'
"""What a frame begins with, behind the time at which it was received."""
HEADING = re.compile(rb"wss?://")
EVENT = re.compile(rb'"E":([0-9]{1,16})[,}]')


class _Event(msgspec.Struct):
    """What counts of a frame: its event time (unix ms), where it has one."""

    E: int | None = None


_event = msgspec.json.Decoder(_Event).decode


class _Chunk(NamedTuple):
    """Whole lines, what was read to get them, and whether they are the last of their file."""

    text: bytes
    size: int
    lines: int
    is_last: bool


@dataclass(frozen=True)
class FrameTopic(LinesTopic[_Chunk]):
    """
    One stream of recordings.

    The clock time of a frame is its event time. One without stands where the newest event before
    it in its file stands: the recorder's own clock may run ahead of the exchange's. ``data`` is
    the frame's data, byte for byte. ``leads`` are the files of which this topic reports the lines
    that are no frame at all. What is in memory is one block, or one line if that is longer.
    """

    root: Path
    name: FrameName
    files: Sequence[str]
    leads: frozenset[str] = frozenset()
    range: ClockRange = field(default_factory=ClockRange)
    block_bytes: int = BLOCK_BYTES

    @property
    def topic(self) -> str:
        return self.name.topic

    @property
    def priority(self) -> int:
        return self.name.priority

    @cached_property
    def _readers(self) -> Readers:
        # Its own: another topic is at another place of the same file.
        return Readers(limit=OPEN_FILES)

    @cached_property
    def _mark(self) -> bytes:
        """What each of its frames begins with."""
        stream = self.name.stream.encode()
        return STREAM + stream + b'",' if stream else SNAPSHOT

    @cached_property
    def _mine(self) -> re.Pattern[bytes]:
        # It begins with what is looked for, which is found many times as fast as a line's begin.
        mark = re.escape(self._mark)
        own = mark + rb'"data":(\{.*\})\}' if self.name.stream else rb"(%b.*\})" % mark
        return re.compile(rb"(?m)%b\r?$" % own)

    def begin(self, ck: bytes) -> Place:
        """The place before the first frame."""
        return Place(file=0, offset=0, line=0, floor=0, seq=0, ck=ck)

    # Lines

    @property
    def paths(self) -> Sequence[str]:
        return self.files

    def chunk(self, place: Place) -> _Chunk:
        path = self.root / self.files[place.file]
        return self._lines(self._readers.of(path).read, place.offset)

    def _lines(self, read: Callable[[int, int], bytes], offset: int) -> _Chunk:
        size = self.block_bytes
        raw = read(offset, size)
        while len(raw) == size < LINE_BYTES and b"\n" not in raw:
            size *= 2
            raw = read(offset, size)
        if len(raw) < size:
            return _Chunk(raw, len(raw), raw.count(b"\n"), is_last=True)
        end = raw.rfind(b"\n") + 1 or len(raw)
        return _Chunk(raw[:end], end, raw.count(b"\n", 0, end), is_last=False)

    # Frames

    @cached_property
    def _is_timed(self) -> bool:
        """Whether the stream says when: not all do, and then the others of the file must."""
        first = self._mine.search(self._readers.of(self.root / self.files[0]).read(0, HEAD_BYTES))
        try:
            return first is not None and _event(first[1]).E is not None
        except msgspec.DecodeError:
            return True

    def records(self, place: Place, chunk: _Chunk, report: RowReport | None) -> Found:
        file = self.files[place.file]
        if report is not None and file in self.leads:
            for number, reason in _strangers(chunk.text, is_first=not place.offset):
                report.add(BadRow(self.topic, file, place.line + number, reason))
        found = self._at_once(place, chunk) if self._is_timed else None
        return found or self._one_by_one(place, chunk, report)

    def _at_once(self, place: Place, chunk: _Chunk) -> Found | None:
        """All frames at once, if each is good; else none of them."""
        texts = self._mine.findall(chunk.text)
        if len(texts) != chunk.text.count(self._mark):
            return None
        try:
            b"".join(texts).decode()
            times = [_event(text).E or 0 for text in texts]
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        if times and (times[0] < place.floor or 0 in times or times != sorted(times)):
            return None
        return Found(times, texts, times[-1] if times else place.floor)

    def _one_by_one(self, place: Place, chunk: _Chunk, report: RowReport | None) -> Found:
        times: list[int] = []
        texts: list[bytes] = []
        others = _Others(b"" if self._is_timed else chunk.text, floor=place.floor)
        floor = place.floor
        for start in _places(self._mark, chunk.text):
            match = self._mine.match(chunk.text, start)
            text = match[1] if match else b""
            time, reason = self._time_of(text, max(floor, others.before(start)))
            if not reason:
                floor = time
                times.append(time)
                texts.append(text)
            elif report is not None:
                line = place.line + chunk.text.count(b"\n", 0, start) + 1
                report.add(BadRow(self.topic, self.files[place.file], line, reason))
        return Found(times, texts, max(floor, others.before(len(chunk.text))))

    def _time_of(self, text: bytes, floor: int) -> tuple[int, str]:
        """The clock time of a frame, or why it has none."""
        try:
            text.decode()
            time = _event(text).E
        except (msgspec.DecodeError, UnicodeDecodeError):
            return 0, "it is not JSON"
        if not self._is_timed:
            return floor, "" if floor else "there is no event time near it"
        if time is None:
            return 0, "it has no event time"
        return time, "its event time goes back" if time < floor else ""


class _Others:
    """The newest event time of all frames before a place in a text."""

    def __init__(self, text: bytes, *, floor: int) -> None:
        found = [(match.start(), int(match[1])) for match in EVENT.finditer(text)]
        self._starts = [start for start, _ in found]
        # What stands before the first event of a file goes with that one.
        begin = floor or (found[0][1] if found else 0)
        self._newest = list(accumulate((time for _, time in found), max, initial=begin))

    def before(self, start: int) -> int:
        return self._newest[bisect_left(self._starts, start)]


def _places(mark: bytes, text: bytes) -> Iterator[int]:
    start = text.find(mark)
    while start >= 0:
        yield start
        start = text.find(mark, start + 1)


def _strangers(text: bytes, *, is_first: bool) -> Iterator[tuple[int, str]]:
    """The lines that are no frame, by their number in the text (from 1), and why."""
    if text.count(STREAM) + text.count(SNAPSHOT) == text.count(b"\n"):
        return
    for number, line in enumerate(text.split(b"\n"), 1):
        is_frame = STREAM in line or SNAPSHOT in line
        is_heading = is_first and number == 1 and HEADING.match(line)
        if line.strip() and not is_frame and not is_heading:
            yield number, "it is no frame"
