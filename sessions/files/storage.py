"""
Where the files of sessions are kept: a folder of each in ``AEGIS_HOME``, or another backend.

A file is written once under an id of its own and never changed, so that no name that somebody
gives leads anywhere.
"""

import contextlib
from typing import Literal
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from aegis_project.kit.errors import ServiceUnavailable

ALIAS = "sessions"
Kind = Literal["attachments", "artifacts"]


def path_of(session_id: UUID, kind: Kind, file_id: UUID) -> str:
    """Where a file of a session is, relative to the storage."""
    return f"{session_id}/{kind}/{file_id}"


def write(path: str, content: bytes) -> None:
    """
    Keep a new file.

    :raises ServiceUnavailable: if it cannot be kept
    """
    try:
        kept = _storage().save(path, ContentFile(content))
    except OSError as error:
        raise ServiceUnavailable(f"The file cannot be kept: {error.strerror}.") from None
    if kept != path:
        # A backend that renames has a file there already.
        _storage().delete(kept)
        raise ServiceUnavailable("There is a file at this place already.")


def read(path: str) -> bytes:
    """
    The content of a file.

    :raises ServiceUnavailable: if it is not there any more
    """
    try:
        with _storage().open(path, "rb") as file:
            content: bytes = file.read()
    except OSError as error:
        raise ServiceUnavailable(f"The file cannot be read: {error.strerror}.") from None
    return content


def remove(path: str) -> None:
    """Let a file go; nothing if there is none."""
    with contextlib.suppress(OSError):
        _storage().delete(path)


def _storage() -> Storage:
    return storages[ALIAS]
