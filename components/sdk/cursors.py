"""Where a component keeps its cursors between two lives."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from components.sdk import wire
from streaming.core import position
from streaming.core.position import Cursor


class CursorStore(Protocol):
    """
    Keeps the last cursor of each topic.

    Processing is exactly once when ``save`` happens in one transaction with the effect: such a
    component writes its own store, and commits by itself.
    """

    def load(self) -> dict[str, Cursor]:
        """All cursors that were saved, by topic."""

    def save(self, cursors: Mapping[str, Cursor]) -> None:
        """Keep these cursors; those of other topics stay."""


def write(cursor: Cursor) -> str:
    """A cursor as one line of text, to be stored with the effect of what it stands behind."""
    return json.dumps(wire.cursor_frame(cursor))


def read(text: str) -> Cursor:
    """
    The cursor that :func:`write` made this text of.

    :raises ValidationFailed: when it is none
    """
    return position.read(json.loads(text))


class MemoryCursors:
    """Forgets with the process."""

    def __init__(self) -> None:
        self._cursors: dict[str, Cursor] = {}

    def load(self) -> dict[str, Cursor]:
        return dict(self._cursors)

    def save(self, cursors: Mapping[str, Cursor]) -> None:
        self._cursors.update(cursors)


class FileCursors:
    """A JSON file, replaced as a whole, so that a crash leaves the old one or the new one."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def load(self) -> dict[str, Cursor]:
        """
        Read the file; there are no cursors before the first save.

        :raises ValidationFailed: when the file holds something else
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        return {topic: position.read(entry) for topic, entry in json.loads(text).items()}

    def save(self, cursors: Mapping[str, Cursor]) -> None:
        kept = {**self.load(), **cursors}
        entries = {topic: wire.cursor_frame(cursor) for topic, cursor in kept.items()}
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.write_text(json.dumps(entries), encoding="utf-8")
        os.replace(fresh, self.path)
