"""A whole instance as one file: what may be in it, and how it is proven."""

import re
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from aegis_project.kit.errors import ValidationFailed
from sessions.core import capsule
from sessions.core.capsule import Hex, Member

FORMAT = "aegis.backup"
VERSION = 1
MAX_MEMBERS = 2_000_000
MAX_MANIFEST = 512 * 1024 * 1024

ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PART = r"(?:attachments|artifacts)"
MEMBER = re.compile(rf"(?:tables/[a-z_]+\.[a-z_]+\.ndjson|files/{ID}/{PART}/{ID})\Z")


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """
    What a backup holds.

    ``digest`` is of all members: two backups that have it in common hold the same. ``migrations``
    are those of the tables that it is of, ``probe`` a text sealed with the secret key of its time.
    """

    format: str
    version: int
    at: str
    migrations: list[str]
    probe: str
    digest: Hex
    members: dict[str, Member]


class _Kind(Struct):
    format: str
    version: int


def digest(members: Mapping[str, Member]) -> str:
    """What proves all members by their names, sizes and digests."""
    return capsule.digest(members)


def of_tables(members: Mapping[str, Member]) -> str:
    """The same of the rows alone."""
    return digest({name: one for name, one in members.items() if name.startswith("tables/")})


def read(raw: bytes) -> Manifest:
    """
    The manifest of a backup.

    :raises ValidationFailed: for what is none, of another version, or does not prove its members
    """
    try:
        kind = msgspec.json.decode(raw, type=_Kind)
        if (kind.format, kind.version) != (FORMAT, VERSION):
            raise ValidationFailed(f"This is no backup of version {VERSION}.")
        found = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ValidationFailed("The manifest cannot be read.") from None
    if not all(MEMBER.match(name) for name in found.members):
        raise ValidationFailed("The manifest names members that a backup does not have.")
    if digest(found.members) != found.digest:
        raise ValidationFailed("The digest of the manifest is not that of its members.")
    return found
