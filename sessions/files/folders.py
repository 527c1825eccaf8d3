"""The folders of sandboxes, where the storage has folders."""

import contextlib
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from django.core.files.storage import FileSystemStorage, storages

from sessions.files.storage import ALIAS

PRIVATE = 0o700


def name(session_id: UUID) -> str:
    """What a session's sandbox is called, relative to the storage."""
    return str(session_id)


def make(session_id: UUID, part: str = "") -> None:
    """Make a sandbox, or a part of it; nothing if it is there."""
    place = _place(session_id, part)
    if place is not None:
        place.mkdir(mode=PRIVATE, parents=True, exist_ok=True)


def remove(session_id: UUID) -> None:
    """Remove a sandbox as far as nothing is in it: files stay as long as their rows."""
    place = _place(session_id)
    if place is not None:
        for one in (*_parts(place), place):
            with contextlib.suppress(OSError):
                one.rmdir()


def remove_empty(session_ids: Iterable[UUID]) -> None:
    """The same for several sandboxes; of those that are not there nothing happens."""
    for session_id in session_ids:
        remove(session_id)


def _parts(place: Path) -> list[Path]:
    return [one for one in place.iterdir() if one.is_dir()] if place.is_dir() else []


def _place(session_id: UUID, part: str = "") -> Path | None:
    storage = storages[ALIAS]
    if not isinstance(storage, FileSystemStorage):
        return None
    return Path(storage.path(f"{session_id}/{part}" if part else name(session_id)))
