"""What other processes tell of their topics, read only when it is new."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

import msgspec

from streaming.hub.watch import Reading, Readings

_decoder = msgspec.json.Decoder(dict[str, Reading])


class Told(Protocol):
    """What one process wrote of one session."""

    @property
    def process(self) -> str:
        """Whose it is."""

    @property
    def session_id(self) -> str:
        """Of which session."""

    @property
    def written_at(self) -> datetime:
        """When."""

    @property
    def body(self) -> bytes:
        """The readings by topic, as JSON."""


class Hearsay:
    """Decodes what is told, each piece once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[datetime, Readings]] = {}

    def take(self, told: Iterable[Told], *, now: datetime) -> dict[str, dict[str, Readings]]:
        """
        What is told, by process and session, as it is ``now``: only what changes is written.

        A body that another version of Aegis wrote, and that is not understood, is left out.
        """
        known = {(one.process, one.session_id): self._read(one) for one in told}
        self._known = {key: found for key, found in known.items() if found is not None}
        by_process: dict[str, dict[str, Readings]] = defaultdict(dict)
        for (process, session_id), (written_at, readings) in self._known.items():
            seconds = max((now - written_at).total_seconds(), 0)
            by_process[process][session_id] = {
                name: msgspec.structs.replace(one, quiet=one.quiet + seconds)
                for name, one in readings.items()
            }
        return dict(by_process)

    def _read(self, one: Told) -> tuple[datetime, Readings] | None:
        found = self._known.get((one.process, one.session_id))
        if found is not None and found[0] == one.written_at:
            return found
        try:
            return one.written_at, _decoder.decode(one.body)
        except msgspec.DecodeError:
            return None
