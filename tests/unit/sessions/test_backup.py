"""What a backup may be, and how it is proven."""

from typing import Any

import msgspec
import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import backup
from sessions.core.capsule import Member

ROWS = "tables/aegis_sessions.session.ndjson"
FILE = "files/{0}/attachments/{0}".format("01234567-89ab-cdef-0123-456789abcdef")
MEMBERS = {ROWS: Member(3, "a" * 64), FILE: Member(5, "b" * 64)}


def manifest(members: dict[str, Member] = MEMBERS, **other: Any) -> bytes:
    said = {
        "format": backup.FORMAT,
        "version": backup.VERSION,
        "at": "2026-01-01T00:00:00+00:00",
        "migrations": ["auth.0001_initial"],
        "probe": "sealed",
        "digest": backup.digest(members),
        "members": members,
    }
    return msgspec.json.encode({**said, **other})


def test_a_manifest_says_what_it_holds():
    found = backup.read(manifest())

    assert found.members == MEMBERS
    assert found.digest == backup.digest(MEMBERS)
    assert backup.of_tables(found.members) == backup.digest({ROWS: MEMBERS[ROWS]})
    assert backup.of_tables(found.members) != found.digest


@pytest.mark.parametrize(
    "raw",
    [
        b"x",
        b"{}",
        b"\xff",
        manifest(format="aegis.capsule"),
        manifest(version=2),
        manifest(more=1),
        manifest(digest="0" * 64),
        manifest({"tables/../x.ndjson": Member(0, "a" * 64)}),
        manifest({"files/etc/passwd": Member(0, "a" * 64)}),
    ],
)
def test_what_is_no_manifest_is_refused(raw: bytes):
    with pytest.raises(ValidationFailed):
        backup.read(raw)
