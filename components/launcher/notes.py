"""What a keeper leaves in its folder, for whoever comes after it."""

import contextlib
import fcntl
import json
import os
import signal
from pathlib import Path
from typing import Any

Note = dict[str, Any]


def write(name: str, note: Note) -> None:
    """Put a note of this folder in the place of the last one, whole or not at all."""
    draft = Path(f"{name}.json.new")
    draft.write_text(json.dumps(note))
    draft.replace(f"{name}.json")


def read(folder: Path, name: str) -> Note:
    """The last note; that of an attempt 0 when there is none."""
    try:
        return dict(json.loads((folder / f"{name}.json").read_text()))
    except (OSError, ValueError):
        return {"attempt": 0, "pid": None, "born": "", "exit": None}


def is_kept(folder: Path, name: str) -> bool:
    """Whether a keeper lives, though perhaps it does not listen yet, or no longer."""
    try:
        with (folder / f"{name}.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def born(pid: int | None) -> str:
    """When a process was started, in the kernel's words; empty when it is not there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19]
    except OSError:
        return ""


def bury(note: Note) -> None:
    """End the process that a note tells of, if it is still that one: nobody reads it any more."""
    pid = note["pid"]
    if pid and note["exit"] is None and note["born"] and born(pid) == note["born"]:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
