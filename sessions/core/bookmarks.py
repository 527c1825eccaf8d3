"""What a bookmark may say, and which colours there are for it."""

from aegis_project.kit.errors import ValidationFailed
from sessions.core import tags

LONGEST_NAME = 200
LONGEST_NOTE = 2000
MOST_IN_A_SESSION = 1000
"""How many bookmarks one principal has in one session."""

COLOURS = ("#f44336", "#ff9800", "#ffeb3b", "#4caf50", "#2196f3", "#9c27b0")
"""The colours that are offered; the first is that of a bookmark without one."""


def colour(given: str) -> str:
    """
    The colour that was given, in small letters, else the first that is offered.

    :raises ValidationFailed: for what is no colour such as ``#2196f3``
    """
    return tags.colour(given, name="") if given else COLOURS[0]


def check(*, name: str, note: str) -> None:
    """
    Whether a bookmark may say so.

    :raises ValidationFailed: for what is too long, or holds a NUL
    """
    for field, text, longest in (("name", name, LONGEST_NAME), ("note", note, LONGEST_NOTE)):
        if len(text) > longest or "\x00" in text:
            raise ValidationFailed(
                f"The {field} of a bookmark has at most {longest} characters.", field=field
            )
