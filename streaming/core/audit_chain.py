"""The hash chain of the audit: what each entry's digest covers, and where a chain is broken."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

# What a digest covers, beside the place and the digest before.
FIELDS = (
    "id",
    "at",
    "command",
    "actor",
    "principal_id",
    "transport",
    "request_id",
    "session_id",
    "target",
    "outcome",
    "code",
    "detail",
)
SEALED = (*FIELDS, "place", "previous", "digest")
DOMAIN = b"aegis.audit.1\n"
DIGEST_FORM = r"^[0-9a-f]{64}$"

Kind = Literal["changed", "unlinked", "missing", "cut", "inserted"]


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong in a chain: at which place, with which entry, and what."""

    kind: Kind
    place: int
    entry: int | None
    message: str


def canonical(entry: Mapping[str, Any], *, place: int, previous: str) -> bytes:
    """
    The text that a digest is of: a JSON object in ASCII, its members sorted, without spaces.

    Moments are UTC with microseconds. :data:`DOMAIN` stands before it.
    """
    values = {name: _plain(entry[name]) for name in FIELDS}
    values |= {"place": place, "previous": previous}
    return DOMAIN + json.dumps(values, sort_keys=True, separators=(",", ":")).encode("ascii")


def digest(entry: Mapping[str, Any], *, place: int, previous: str) -> str:
    """SHA-256 of the canonical text, in hexadecimal digits."""
    return hashlib.sha256(canonical(entry, place=place, previous=previous)).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, dict | list | str | int | float) or value is None:
        return value
    return str(value)


class Walk:
    """
    A walk along a chain, entry by entry, that begins behind a place with a known digest.

    The empty digest at place 0 is the beginning of all.
    """

    def __init__(self, *, place: int = 0, digest: str = "") -> None:
        self.place, self.digest = place, digest

    def step(self, entry: Mapping[str, Any]) -> Fault | None:
        """Go on to the entry that is next by place; what is wrong with it, if anything is."""
        place, pk = entry["place"], entry["id"]
        if place != self.place + 1:
            return self._gap(place, pk)
        if digest(entry, place=place, previous=entry["previous"]) != entry["digest"]:
            said = f"Entry {pk} at place {place} was changed after it was sealed."
            return Fault("changed", place, pk, said)
        if entry["previous"] != self.digest:
            said = f"Entry {pk} at place {place} does not follow on the one before it."
            return Fault("unlinked", place, pk, said)
        self.place, self.digest = place, entry["digest"]
        return None

    def _gap(self, place: int, pk: int) -> Fault:
        first, last = self.place + 1, place - 1
        missing = f"place {first}" if first == last else f"places {first} to {last}"
        said = f"There is no entry at {missing}; the next is entry {pk} at place {place}."
        return Fault("missing", first, pk, said)

    def end(self, *, place: int, digest: str, keeper: str) -> Fault | None:
        """
        What is wrong if a chain that is known to have reached this place ends here.

        ``keeper`` says in a word or two who knows it.
        """
        if self.place < place:
            said = f"The chain ends at place {self.place}, but {keeper} knows of place {place}."
            return Fault("cut", self.place + 1, None, said)
        if self.place == place and self.digest != digest:
            said = f"The entry at place {place} is not the one that {keeper} knows."
            return Fault("changed", place, None, said)
        return None


def beyond(*, entry: int, place: int) -> Fault:
    """What is wrong with an entry behind the end that the sealer knows."""
    said = f"Entry {entry} at place {place} was not put there by the sealer."
    return Fault("inserted", place, entry, said)
