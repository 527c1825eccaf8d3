"""The address file: how the programs of this machine find the server that runs on a home."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "server.json"
LOCK = "server.lock"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server answers, its process id and a secret for the verbs of the command line."""

    url: str
    pid: int
    token: str


class HomeTaken(Exception):
    """Another server runs on this home already."""


@contextlib.contextmanager
def held(home: Path) -> Iterator[None]:
    """
    Be the only server of a home; the kernel lets go of it however this process ends.

    :raises HomeTaken: if another process is
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeTaken from None
        yield


def read(home: Path) -> Address | None:
    """The address of the server that runs on a home; None when none does."""
    found = left_behind(home)
    return found if found and _is_alive(found.pid) else None


def left_behind(home: Path) -> Address | None:
    """What the file says, whether or not its server still runs."""
    try:
        return Address(**json.loads((home / FILE).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write(home: Path, address: Address) -> None:
    """Put the address where only the owner can read it, at once and whole."""
    draft = home / f"{FILE}.{address.pid}"
    draft.unlink(missing_ok=True)
    with open(draft, "x", opener=_private) as file:
        json.dump(asdict(address), file)
    draft.replace(home / FILE)


def remove(home: Path) -> None:
    """Forget the address."""
    (home / FILE).unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return True
