"""Short labels of sessions: how they are written, which there always are, which would suit."""

import re
from collections.abc import Iterable, Mapping
from zlib import crc32

from aegis_project.kit.errors import ValidationFailed

LONGEST = 50
MOST_ON_A_SESSION = 20
SUGGESTED = 5
POPULAR = 10
# Words of the addresses of tags.
TAKEN = frozenset({"popular", "suggested"})
COLOUR = re.compile(r"#[0-9a-f]{6}")

SYSTEM: Mapping[str, str] = {
    "important": "#f44336",
    "work": "#2196f3",
    "personal": "#4caf50",
    "project": "#ff9800",
    "learning": "#9c27b0",
    "archived": "#9e9e9e",
}
"""The tags that there always are, with their colours; nobody changes them."""

PALETTE = (
    *("#d32f2f", "#c2185b", "#7b1fa2", "#512da8", "#303f9f", "#1976d2", "#0288d1", "#0097a7"),
    *("#00796b", "#388e3c", "#689f38", "#afb42b", "#fbc02d", "#ffa000", "#f57c00", "#5d4037"),
)
"""The colours of tags whose owner says none."""

# Shorter words say nothing of a subject.
WORD = re.compile(r"[^\W_]{3,}")


def normal(name: str) -> str:
    """
    A name as tags are kept: trimmed, in small letters, its words joined by dashes.

    :raises ValidationFailed: unless it has 1 to 50 printable characters, no comma and no slash, or
        if it is a word of an address
    """
    found = "-".join(name.split()).lower()
    is_sound = found.isprintable() and not set(found) & {",", "/"} and found not in TAKEN
    if not 0 < len(found) <= LONGEST or not is_sound:
        raise ValidationFailed(
            f"A tag has 1 to {LONGEST} printable characters, without commas and slashes, and is "
            f"none of {', '.join(sorted(TAKEN))}.",
            field="name",
        )
    return found


def colour(given: str, *, name: str) -> str:
    """
    The colour that was given, else one of the palette that this name always has.

    :raises ValidationFailed: for what is no colour such as ``#2196f3``
    """
    if not given:
        return PALETTE[crc32(name.encode()) % len(PALETTE)]
    if not COLOUR.fullmatch(given.lower()):
        raise ValidationFailed("A colour is written like #2196f3.", field="color")
    return given.lower()


def joined(present: Iterable[str], more: Iterable[str]) -> list[str]:
    """
    The names on a session after ``more`` were put on it, in the order in which they came.

    :raises ValidationFailed: above 20
    """
    found = list(dict.fromkeys([*present, *more]))
    if len(found) > MOST_ON_A_SESSION:
        raise ValidationFailed(
            f"A session has at most {MOST_ON_A_SESSION} tags.", field="tags", most=MOST_ON_A_SESSION
        )
    return found


def suited(text: str, tags: Iterable[tuple[str, str]]) -> list[str]:
    """
    Which of these tags (name, description), the most used first, a text speaks of; 5 at most.

    A tag suits when a word of its name or description occurs in the text. If none does, the most
    used ones are as good a guess as any.
    """
    known = list(tags)
    said = set(WORD.findall(text.lower()))
    found = [name for name, about in known if said & set(WORD.findall(f"{name} {about}".lower()))]
    return (found or [name for name, _ in known])[:SUGGESTED]
