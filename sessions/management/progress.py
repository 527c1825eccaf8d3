"""How far something that takes long is, on standard error and never among data."""

import sys
import time

from aegis_project.kit.progress import Progress
from sessions.management import output

# Whoever waits for less wants to read nothing about it.
PATIENCE_SECONDS = 1.0


def told() -> Progress:
    """
    What hears how many of so many things are done.

    After a second it tells so: on a terminal on one line that changes, else a line a second.
    """
    is_terminal = sys.stderr.isatty()
    last = time.monotonic()
    is_telling = False

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last, is_telling
        is_over = is_telling and done == total
        if time.monotonic() - last < PATIENCE_SECONDS and not is_over:
            return
        last, is_telling = time.monotonic(), True
        line = f"{what} {done} of {total}"
        if is_terminal:
            sys.stderr.write(f"\r\x1b[K{line}" + ("\n" if done == total else ""))
            sys.stderr.flush()
        else:
            output.say(line)

    return tell
