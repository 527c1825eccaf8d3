"""Reading a file from any place of its text, also where it is compressed."""

import threading
import zlib
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

RAW_BYTES = 65_536
SPACING = 2 * 2**20
MARKS = 16
PLACES = 3


@dataclass(slots=True)
class _Place:
    """
    How far a file is read: ``raw`` bytes of it were fed, ``at`` bytes of its text have come out.

    ``left`` was fed and not used yet; ``text`` is what came out last, up to ``at``.
    """

    inflater: Any
    raw: int = 0
    at: int = 0
    left: bytes = b""
    text: bytes = b""

    @property
    def begin(self) -> int:
        """Where the text begins that is still here."""
        return self.at - len(self.text)

    def copy(self) -> "_Place":
        return _Place(self.inflater.copy(), self.raw, self.at, self.left)


class Reader:
    """
    The text of a file, gzip or not, from any offset of it again and again.

    What is compressed can only be read forward: the reader keeps a few places at which it has
    been, and marks every so often on the way, so that going on is cheap and going back is short.
    May be called from several threads.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_packed = path.suffix == ".gz"
        self._lock = threading.Lock()
        self._places: list[_Place] = []
        self._marks: list[_Place] = []
        self._spacing = SPACING

    def read(self, offset: int, size: int) -> bytes:
        """
        The text from ``offset``, at most ``size`` bytes; less only at the end of the file.

        :raises OSError: when the file cannot be read or is damaged
        """
        with FileIO(self.path) as file:
            if not self._is_packed:
                file.seek(offset)
                return file.read(size)
            with self._lock:
                return self._read(file, offset, size)

    def _read(self, file: FileIO, offset: int, size: int) -> bytes:
        place = self._nearest(offset)
        while place.at < offset:
            if not self._inflate(file, place, min(RAW_BYTES, offset - place.at), keep=False):
                return b""
        place.text = place.text[offset - place.begin :]
        while len(place.text) < size:
            if not self._inflate(file, place, size - len(place.text), keep=True):
                break
        return place.text[:size]

    def _nearest(self, offset: int) -> _Place:
        usable = [place for place in self._places if place.begin <= offset]
        if usable:
            place = max(usable, key=lambda place: place.begin)
            self._places.remove(place)
        else:
            index = bisect_right(self._marks, offset, key=lambda mark: mark.at)
            place = self._marks[index - 1].copy() if index else _Place(zlib.decompressobj(31))
        self._places = [*self._places[1 - PLACES :], place]
        return place

    def _inflate(self, file: FileIO, place: _Place, size: int, *, keep: bool) -> bool:
        """Let at most so many more bytes come out; whether any did, or may still."""
        fed = place.left
        if not fed:
            file.seek(place.raw)
            fed = file.read(RAW_BYTES)
            place.raw += len(fed)
        try:
            text = place.inflater.decompress(fed, size)
        except zlib.error as error:
            raise OSError(0, f"It is damaged: {error}") from None
        place.left = place.inflater.unconsumed_tail
        if place.inflater.eof:
            # A file may be several that were joined.
            place.left = place.inflater.unused_data
            place.inflater = zlib.decompressobj(31)
        place.at += len(text)
        place.text = place.text + text if keep else b""
        self._mark(place)
        return bool(fed or text)

    def _mark(self, place: _Place) -> None:
        last = self._marks[-1].at if self._marks else 0
        if place.at - last < self._spacing:
            return
        self._marks.append(place.copy())
        if len(self._marks) > MARKS:
            self._marks, self._spacing = self._marks[::2], self._spacing * 2


class Readers:
    """Readers by file, those of the files that were read last."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._readers: OrderedDict[Path, Reader] = OrderedDict()

    def of(self, path: Path) -> Reader:
        """The reader of a file."""
        with self._lock:
            reader = self._readers.pop(path, None) or Reader(path)
            self._readers[path] = reader
            while len(self._readers) > self._limit:
                self._readers.popitem(last=False)
            return reader
