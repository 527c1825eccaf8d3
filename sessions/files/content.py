"""Telling from its bytes what a file is."""

import re

import filetype

from sessions.core import file_types
from sessions.core.file_types import FileType

# Signs that no text has: control signs other than tab, line feed, form feed and return.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def detect(filename: str, content: bytes) -> FileType:
    """
    What a file is, whatever was claimed of it.

    :raises ValidationFailed: if its name says that it is something else
    """
    return file_types.of(filename, signature=signature(content), is_text=is_text(content))


def signature(content: bytes) -> str:
    """The media type that the first bytes tell, empty if they tell none."""
    found = filetype.guess(content)
    return str(found.mime) if found is not None else ""


def is_text(content: bytes) -> bool:
    """Whether these bytes are UTF-8 that people can read."""
    if _CONTROL.search(content):
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
