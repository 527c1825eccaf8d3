"""Ids by their beginnings, as a server knows them."""

from typing import Any

from sessions.core import keys
from sessions.management.client import Client

# As many of a list are looked through at a server.
MOST = 1000


def far_whole(server: Client, *parts: str, reference: str, **query: Any) -> str:
    """
    The id in a list of a server that begins so; what is no beginning of one stays as it is.

    :raises AmbiguousReference: if several do
    """
    if keys.span(reference) is None:
        return reference
    rows, _ = server.several(*parts, limit=MOST, **query)
    return keys.only((str(row["id"]) for row in rows), reference)
