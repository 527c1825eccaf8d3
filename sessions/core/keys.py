"""What a session may be called by."""

import re
from collections.abc import Iterable
from uuid import UUID

from aegis_project.kit.errors import ValidationFailed
from sessions.core.errors import AmbiguousReference

# Digits of an id that are taken for its beginning; an id has so many.
SHORTEST_BEGINNING, LONG = 4, 32
HEX_DIGITS = frozenset("0123456789abcdef")
FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}")

VERBS = frozenset(
    {
        "start",
        "pause",
        "resume",
        "stop",
        "complete",
        "fail",
        "end",
        "recover",
        "restart",
        "fork",
        "attach",
        "activate",
        "suspend",
        "seek",
        "step",
        "speed",
        "clock",
        "capsule",
        "import",
    }
)
COLLECTIONS = frozenset(
    {
        "sessions",
        "messages",
        "chat",
        "stream",
        "attachments",
        "runs",
        "tool-calls",
        "approvals",
        "checkpoints",
        "events",
        "artifacts",
        "tags",
        "bookmarks",
        "search",
        "statistics",
        "components",
        "topics",
        "tokens",
        "agents",
        "templates",
        "credentials",
        "policies",
        "webhooks",
        "stats",
    }
)
RESERVED = VERBS | COLLECTIONS


def check(key: str) -> str:
    """
    The key, if it has the required form and is no word of an address.

    :raises ValidationFailed: otherwise
    """
    if not FORM.fullmatch(key):
        raise ValidationFailed(
            "A key begins with a letter or digit and goes on with letters, digits and ._~-, "
            "128 characters at most.",
            key=key[:128],
        )
    if key.lower() in RESERVED:
        raise ValidationFailed(f"{key} is a reserved word.", key=key)
    return key


def span(text: str) -> tuple[UUID, UUID] | None:
    """The first and the last id that begins so, or None for what is no beginning of one."""
    digits = text.replace("-", "").lower()
    if not SHORTEST_BEGINNING <= len(digits) < LONG or not set(digits) <= HEX_DIGITS:
        return None
    return UUID(digits.ljust(LONG, "0")), UUID(digits.ljust(LONG, "f"))


def only(ids: Iterable[str], beginning: str) -> str:
    """
    The one of these ids that begins so, or the beginning as it is if none does.

    :raises AmbiguousReference: if several do
    """
    digits = beginning.replace("-", "").lower()
    found = [one for one in ids if one.replace("-", "").startswith(digits)]
    if len(found) > 1:
        raise AmbiguousReference(
            f"More than one id begins with {beginning}; use more of it.", reference=beginning
        )
    return found[0] if found else beginning


def as_uuid(text: str) -> UUID | None:
    """The UUID that the text writes in any accepted form, else None."""
    try:
        return UUID(text)
    except ValueError:
        return None
