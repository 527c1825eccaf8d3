"""A launcher's connection to a keeper: lines of JSON over a local socket."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any, Self

# A batch of the longest lines, in the widest spelling that JSON has.
MOST_BYTES = 16 * 1024 * 1024

Message = dict[str, Any]


class Link:
    """One connection; it ends for both when either side goes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, folder: Path, name: str) -> Self | None:
        """A connection to the keeper of this name; None when none listens."""
        # The address of a socket is short, and the path of a folder may be long.
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            path = f"/proc/self/fd/{descriptor}/{name}.sock"
            return cls(*await asyncio.open_unix_connection(path, limit=MOST_BYTES))
        except OSError:
            return None
        finally:
            os.close(descriptor)

    async def hear(self) -> Message | None:
        """The next message; None when the keeper is gone."""
        try:
            line = await self._reader.readline()
        except OSError:
            return None
        return dict(json.loads(line)) if line.endswith(b"\n") else None

    async def say(self, **message: Any) -> None:
        """Send a message; a keeper that is gone is seen by :meth:`hear`."""
        try:
            self._writer.write(json.dumps(message).encode() + b"\n")
            await self._writer.drain()
        except OSError:
            return

    def close(self) -> None:
        self._writer.close()
