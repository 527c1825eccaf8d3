"""A session as one file: what may be in it, how it is proven, and what is left out of it."""

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from aegis_project.kit import strict
from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed
from components.core.lifecycle import Role
from sessions.core import checkpoints

FORMAT = "aegis.capsule"
VERSION = 1
MANIFEST = "manifest.json"
REDACTED = "[redacted]"

MAX_BYTES = 1024 * 1024 * 1024
"""Of all members together, unpacked."""
MAX_MANIFEST = 8 * 1024 * 1024
MAX_LINE = 16 * 1024 * 1024
MAX_MEMBERS = 20_000
MAX_FILE = 100 * 1024 * 1024
"""Of one file of a session, which is in memory when it is kept."""

MEMBER = re.compile(r"(?:(?:rows|used)/[a-z_]{1,40}\.ndjson|files/[0-9a-f]{64})\Z")
# What a session went by and is not its own: proven, but no part of the digest, nor brought in.
USED = "used/"
FILES = "files/"
ROWS = "rows/"
SECRET = re.compile(
    r"passw|secret|token|api_?-?key|authorization|cookie|credential|private_?-?key", re.IGNORECASE
)

Hex = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Member(Struct, frozen=True, forbid_unknown_fields=True):
    """What a member has to be: its bytes, and their SHA-256."""

    size: Annotated[int, Meta(ge=0, le=MAX_BYTES)]
    sha256: Hex


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """
    What a capsule holds.

    ``digest`` is of the members of the session itself: two capsules that have it in common hold the
    same. ``session`` and ``head`` are for people.
    """

    format: str
    version: int
    session: str
    head: int
    redacted: bool
    digest: Hex
    members: dict[str, Member]


def digest(members: Mapping[str, Member]) -> str:
    """What proves the members of the session itself by their names, sizes and digests."""
    own = sorted((name, one) for name, one in members.items() if not name.startswith(USED))
    lines = [f"{name} {one.size} {one.sha256}\n" for name, one in own]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read(raw: bytes) -> Manifest:
    """
    The manifest of a capsule.

    :raises ValidationFailed: for what is none, of another version, or does not prove its members
    """
    try:
        kind = msgspec.json.decode(raw, type=_Kind)
        if (kind.format, kind.version) != (FORMAT, VERSION):
            raise ValidationFailed(
                f"This is no capsule of version {VERSION}.", version=kind.version
            )
        found = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ValidationFailed("The manifest cannot be read.") from None
    strange = sorted(name for name in found.members if not MEMBER.match(name))
    if strange or len(found.members) > MAX_MEMBERS:
        raise ValidationFailed("The manifest names members that a capsule does not have.")
    if digest(found.members) != found.digest:
        raise ValidationFailed("The digest of the manifest is not that of its members.")
    if sum(one.size for one in found.members.values()) > MAX_BYTES:
        raise PayloadTooLarge(max_bytes=MAX_BYTES)
    return found


class _Kind(Struct):
    format: str
    version: int


def check_event(row: Mapping[str, Any]) -> None:
    """
    Go on only with an event whose text, which every reader gets, says what its columns say.

    :raises ValidationFailed: otherwise
    """
    body = row["body"]
    told = strict.decode(body, max_bytes=MAX_LINE) if isinstance(body, str) else None
    names = ("seq", "type", "actor", "cause")
    if not isinstance(told, dict) or any(told.get(name) != row[name] for name in names):
        raise ValidationFailed("An event does not say what its columns say.")


class _Participant(Struct):
    name: str
    role: Role
    required: bool
    topics: list[str]
    program: str | None


class _Snapshot(Struct):
    memory: dict[str, Any]
    participants: list[_Participant]


def check_snapshot(body: str, *, digest: str, size: int) -> None:
    """
    Go on only with a snapshot that can be recovered to, and is what its digest says.

    :raises ValidationFailed: otherwise
    """
    try:
        msgspec.json.decode(body, type=_Snapshot)
    except msgspec.DecodeError:
        raise ValidationFailed("A snapshot cannot be read.") from None
    if (checkpoints.digest(body), len(body.encode())) != (digest, size):
        raise ValidationFailed("A snapshot is not what its digest says.")


def check_sizes(sizes: Mapping[str, int]) -> None:
    """
    Go on only if members, by the sizes that they say, unpack to what a capsule may hold.

    How well they are packed says nothing: a log of equal lines is packed to next to nothing. Of
    none more is unpacked than it says, so that these bound work, disk and memory.

    :raises PayloadTooLarge: otherwise
    """
    too_large = [name for name, size in sizes.items() if size > _longest(name)]
    if too_large:
        raise PayloadTooLarge("A member unpacks to too much.", member=too_large[0][:100])
    if sum(sizes.values()) > MAX_BYTES + MAX_MANIFEST:
        raise PayloadTooLarge(max_bytes=MAX_BYTES)


def _longest(name: str) -> int:
    return MAX_FILE if name.startswith(FILES) else MAX_BYTES


def redact(value: Any) -> Any:
    """The same JSON value without texts whose names say that they are secrets."""
    if isinstance(value, Mapping):
        return {
            name: REDACTED if _is_secret(name, one) else redact(one) for name, one in value.items()
        }
    if isinstance(value, list):
        return [redact(one) for one in value]
    return value


def _is_secret(name: str, value: Any) -> bool:
    return isinstance(value, str) and bool(value) and SECRET.search(name) is not None
