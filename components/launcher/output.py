"""What a kept program prints: cut into lines, bounded in length, rate and number."""

import os
import time
from collections import deque
from typing import IO, Any

READ_BYTES = 65_536
BATCH_LINES = 200
TAIL_LINES = 20
QUIET_SECONDS = 1.0

Entry = dict[str, Any]


class Log:
    """
    Lines that wait for a launcher: no more than so many, no faster and no longer than allowed.

    What is left out is counted and told in the place where it is missing; of what came too fast
    the last lines are kept, because they say why a program broke.
    """

    def __init__(self, order: dict[str, Any]) -> None:
        self.rate = float(order["lines_per_second"])
        self.most = int(order["buffer_lines"])
        self.secrets = [text for text in order["secrets"] if text]
        self.entries: deque[Entry] = deque()
        self.allowance, self.refilled_at = 2 * self.rate, time.monotonic()
        self.dropped, self.skipped_at = 0, 0.0
        self.tail: deque[Entry] = deque(maxlen=TAIL_LINES)

    def add(self, stream: str, raw: bytes, *, is_cut: bool = False) -> None:
        """Take one line, if there is allowance for it."""
        entry = self._entry(stream, raw, is_cut=is_cut)
        if not self.refill():
            self.skip(1, entry)
            return
        self.allowance -= 1
        self._tell()
        self._append(entry)

    def refill(self) -> int:
        """How many lines may be taken now."""
        now = time.monotonic()
        earned = (now - self.refilled_at) * self.rate
        most = max(1.0, 2 * self.rate)
        self.allowance, self.refilled_at = min(most, self.allowance + earned), now
        return int(self.allowance)

    def skip(self, count: int, last: Entry | None = None) -> None:
        """Count lines that are left out."""
        self.dropped += count
        self.skipped_at = time.monotonic()
        if last is not None:
            self.tail.append(last)

    def _entry(self, stream: str, raw: bytes, *, is_cut: bool) -> Entry:
        line = raw.decode(errors="replace").replace("\x00", "\ufffd").rstrip("\r")
        for secret in self.secrets:
            line = line.replace(secret, "***")
        entry: Entry = {"ts": time.time_ns() // 1_000_000, "stream": stream, "line": line}
        return {**entry, "cut": True} if is_cut else entry

    def _tell(self) -> None:
        if self.dropped:
            self._append(told(self.dropped))
            self.dropped = 0
            self.tail.clear()

    def _append(self, entry: Entry) -> None:
        if len(self.entries) >= self.most:
            # The first entry then tells of all that had to make room.
            count = self.entries.popleft().get("dropped", 1)
            count += self.entries.popleft().get("dropped", 1)
            self.entries.appendleft(told(count))
        self.entries.append(entry)

    def settle(self) -> None:
        """Tell what was left out once nothing came for a while."""
        if self.dropped and time.monotonic() >= self.skipped_at + QUIET_SECONDS:
            self.close()

    def close(self) -> None:
        """Tell what is still to be told when nothing comes."""
        tail = list(self.tail)
        self.dropped -= len(tail)
        self._tell()
        self.dropped = 0
        self.tail.clear()
        for entry in tail:
            self._append(entry)

    def batch(self) -> list[Entry]:
        """The lines to send next."""
        return [self.entries[n] for n in range(min(BATCH_LINES, len(self.entries)))]

    def forget(self, count: int) -> None:
        """These were taken."""
        for _ in range(min(count, len(self.entries))):
            self.entries.popleft()


def told(count: int) -> Entry:
    """The entry that stands where lines are missing."""
    line = f"{count} lines were left out"
    now = time.time_ns() // 1_000_000
    return {"ts": now, "stream": "launcher", "line": line, "dropped": count}


class Lines:
    """One pipe of the program, cut into lines of bounded length."""

    def __init__(self, stream: str, pipe: IO[bytes], log: Log, *, most_bytes: int) -> None:
        self.stream, self.pipe, self.log, self.most_bytes = stream, pipe, log, most_bytes
        self.rest = b""
        self.is_long = False
        os.set_blocking(pipe.fileno(), False)

    def read(self) -> bool:
        """Read what there is; False once nothing will come any more."""
        try:
            data = os.read(self.pipe.fileno(), READ_BYTES)
        except BlockingIOError:
            return True
        if data:
            self._take(data)
        elif self.rest or self.is_long:
            self._end()
        return bool(data)

    def _take(self, data: bytes) -> None:
        *whole, last = data.split(b"\n")
        room = self.log.refill() + 1
        surplus = max(0, len(whole) - room - TAIL_LINES)
        self._put(whole[:room] if surplus else whole)
        if surplus:
            # A flood: there is no time to look at what will not be kept.
            self.log.skip(surplus)
            self._put(whole[-TAIL_LINES:])
        self._grow(last)

    def _put(self, parts: list[bytes]) -> None:
        for part in parts:
            self._grow(part)
            self._end()

    def _grow(self, part: bytes) -> None:
        self.rest += part[: self.most_bytes - len(self.rest) + 1]
        if len(self.rest) > self.most_bytes:
            self.rest, self.is_long = self.rest[: self.most_bytes], True

    def _end(self) -> None:
        self.log.add(self.stream, self.rest, is_cut=self.is_long)
        self.rest, self.is_long = b"", False
