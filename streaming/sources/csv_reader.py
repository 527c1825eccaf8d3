"""Reading one topic of the daily layout, block by block and from any place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from streaming.sources import csv_chunks
from streaming.sources.blocks import BadRow, Place, RowReport
from streaming.sources.clock_range import ClockRange
from streaming.sources.csv_chunks import Chunk
from streaming.sources.csv_columns import Columns, Rows
from streaming.sources.csv_layout import DAY_MS, CsvName, DayFile
from streaming.sources.stored_lines import Found, LinesTopic

BLOCK_BYTES = 65_536


@dataclass(frozen=True)
class CsvTopic(LinesTopic[Chunk]):
    """
    One topic of a dataset.

    A row counts when it has the right columns and its clock time is not before the row above,
    lies in the range, and within a day of its file's date (so that one spoilt time cannot hide
    all that follows). What is in memory is one block of about ``block_bytes``.
    """

    root: Path
    name: CsvName
    files: Sequence[DayFile]
    columns: Columns
    range: ClockRange = field(default_factory=ClockRange)
    block_bytes: int = BLOCK_BYTES

    @property
    def topic(self) -> str:
        return self.name.topic

    @cached_property
    def paths(self) -> Sequence[str]:
        return [file.name for file in self.files]

    @property
    def priority(self) -> int:
        return self.columns.priority

    def begin(self, ck: bytes) -> Place:
        """The place before the first record of the range; older files are never opened."""
        older = 0
        while older < len(self.files) and self._latest_ms(older) < self.range.from_ms:
            older += 1
        return Place(file=older, offset=0, line=0, floor=0, seq=0, ck=ck)

    def goes_on(self, place: Place) -> bool:
        return super().goes_on(place) and self._earliest_ms(place.file) <= self.range.to_ms

    def chunk(self, place: Place) -> Chunk:
        path = self.root / self.paths[place.file]
        return csv_chunks.read(path, offset=place.offset, size=self.block_bytes)

    def records(self, place: Place, chunk: Chunk, report: RowReport | None) -> Found:
        times, texts = self._rows(place, chunk, report)
        return Found(times, texts, times[-1] if times else place.floor)

    # Time

    def _earliest_ms(self, file: int) -> int:
        return self.files[file].day_ms - DAY_MS

    def _latest_ms(self, file: int) -> int:
        return self.files[file].day_ms + 2 * DAY_MS + self.name.interval_ms

    def _lies_before_range(self, place: Place, chunk: Chunk) -> bool:
        # Times never fall, so the last row speaks for all, and most of a day goes by unparsed.
        if place.seq or not self.range.from_ms:
            return False
        last = self.columns.rows(chunk.text[chunk.text.rfind(b"\n", 0, -1) + 1 :])
        if last is None or not last[0]:
            return False
        return self._earliest_ms(place.file) <= last[0][0] < self.range.from_ms

    # Rows

    def _rows(self, place: Place, chunk: Chunk, report: RowReport | None) -> Rows:
        if self._lies_before_range(place, chunk):
            return [], []
        rows = self.columns.rows(chunk.text)
        if rows is not None and self._are_in_order(place, rows[0]):
            return rows
        return self._line_by_line(place, chunk, report)

    def _are_in_order(self, place: Place, times: list[int]) -> bool:
        if not times:
            return True
        floor = max(place.floor, self._earliest_ms(place.file))
        is_bounded = times[0] >= floor and times[-1] <= self._latest_ms(place.file)
        return is_bounded and times == sorted(times)

    def _line_by_line(self, place: Place, chunk: Chunk, report: RowReport | None) -> Rows:
        times: list[int] = []
        texts: list[bytes] = []
        floor = place.floor
        for number, line in _numbered(place.line + chunk.headings, chunk.text):
            rows = self.columns.rows(line)
            reason = self._complaint(place, line, rows, floor)
            if rows is not None and not reason:
                floor = rows[0][0]
                times += rows[0]
                texts += rows[1]
            elif report is not None:
                report.add(BadRow(self.topic, self.files[place.file].name, number, reason))
        return times, texts

    def _complaint(self, place: Place, line: bytes, rows: Rows | None, floor: int) -> str:
        if rows is None:
            return self.columns.complain(line)
        time = rows[0][0]
        if not self._earliest_ms(place.file) <= time <= self._latest_ms(place.file):
            return f"{self.columns.clock} is far from the date of the file"
        return f"{self.columns.clock} goes back" if time < floor else ""


def _numbered(before: int, text: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their newline and their number in the file."""
    for number, line in enumerate(text.split(b"\n"), before + 1):
        if line.strip():
            yield number, line + b"\n"
