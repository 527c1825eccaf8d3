"""A terminal of its own for what is said at one."""

import os
import pty
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


class Screen:
    """What a terminal was sent, and what is done once it shows a text."""

    def __init__(self) -> None:
        self.text = ""
        self.wanted, self.act = "", lambda: None

    def read(self, ours: int) -> None:
        while piece := _read(ours):
            self.text += piece.decode(errors="replace")
            if self.wanted and self.wanted in self.text:
                self.wanted = ""
                self.act()


def _read(ours: int) -> bytes:
    try:
        return os.read(ours, 65_536)
    except OSError:
        # How Linux tells that the other side is closed.
        return b""


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    """Standard output is a terminal meanwhile."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("NO_COLOR", raising=False)
    ours, theirs = pty.openpty()
    screen = Screen()
    reader = threading.Thread(target=screen.read, args=(ours,))
    reader.start()
    with os.fdopen(theirs, "w", encoding="utf-8") as out:
        monkeypatch.setattr(sys, "stdout", out)
        try:
            yield screen
        finally:
            monkeypatch.undo()
    reader.join()
    os.close(ours)
