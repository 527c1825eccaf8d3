"""Lists as somebody wants to see them again: what is kept of an address, and under which name."""

from urllib.parse import parse_qsl, urlencode

from aegis_project.kit.errors import ValidationFailed

LONGEST_NAME = 40
LONGEST_QUERY = 1000
MOST = 20
"""How many views somebody has of one list."""

FACETS = ("state", "condition", "environment", "kind", "mode", "tag")
LISTS = {
    "sessions": frozenset({"view", "q", "o", *FACETS, *(f"{one}__exact" for one in FACETS)}),
    "audit": frozenset({"q", "o", "outcome__exact", "at__gte", "at__lt"}),
}
"""The parameters of each list that say what it shows, in which order."""


def kept(of: str, query: str) -> str:
    """
    The part of an address that says what a list shows, always in the same order.

    :raises ValidationFailed: for a list that there is not, or more than can be kept
    """
    if of not in LISTS:
        raise ValidationFailed("There is no such list.", field="list")
    known = [(name, value) for name, value in parse_qsl(query) if name in LISTS[of]]
    found = urlencode(sorted(known))
    if len(found) > LONGEST_QUERY or "\x00" in query or "%00" in found:
        raise ValidationFailed("This is more than a view can keep.", field="query")
    return found


def name(given: str) -> str:
    """
    The name of a view, trimmed.

    :raises ValidationFailed: unless it has 1 to 40 printable characters
    """
    found = " ".join(given.split())
    if not 0 < len(found) <= LONGEST_NAME or not found.isprintable():
        raise ValidationFailed(
            f"The name of a view has 1 to {LONGEST_NAME} printable characters.", field="name"
        )
    return found
