import json
from typing import Any

import pytest

from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed
from sessions.core import capsule, checkpoints
from sessions.core.capsule import Member
from sessions.core.capsule_columns import COLUMNS

ONE = Member(2, "a" * 64)


def manifest(members: dict[str, Member], **more: Any) -> bytes:
    told = {name: {"size": one.size, "sha256": one.sha256} for name, one in members.items()}
    said = {
        "format": "aegis.capsule",
        "version": 1,
        "session": "desk",
        "head": 1,
        "redacted": True,
        "digest": capsule.digest(members),
        "members": told,
    }
    return json.dumps({**said, **more}).encode()


def test_a_manifest_proves_its_members():
    found = capsule.read(manifest({"rows/session.ndjson": ONE, "files/" + "0" * 64: ONE}))

    assert found.members["rows/session.ndjson"] == ONE


def test_what_a_session_went_by_is_no_part_of_its_digest():
    own = {"rows/session.ndjson": ONE}

    assert capsule.digest({**own, "used/agents.ndjson": ONE}) == capsule.digest(own)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        manifest({}, version=2),
        manifest({}, format="other"),
        manifest({}, digest="0" * 64),
        manifest({}, more=1),
        manifest({"rows/../x.ndjson": ONE}),
        manifest({"/etc/passwd": ONE}),
    ],
)
def test_what_is_none_is_refused(raw: bytes):
    with pytest.raises(ValidationFailed):
        capsule.read(raw)


def test_too_much_is_refused():
    half = Member(capsule.MAX_BYTES, "a" * 64)

    with pytest.raises(PayloadTooLarge):
        capsule.read(manifest({"rows/a.ndjson": half, "rows/b.ndjson": half}))


@pytest.mark.parametrize(
    "sizes",
    [
        {"rows/a.ndjson": capsule.MAX_BYTES, "rows/b.ndjson": capsule.MAX_MANIFEST + 1},
        {"rows/a.ndjson": capsule.MAX_BYTES + 1},
        {"files/a": capsule.MAX_FILE + 1},
    ],
)
def test_what_unpacks_to_too_much_is_known_by_the_sizes_it_says(sizes: dict[str, int]):
    with pytest.raises(PayloadTooLarge):
        capsule.check_sizes(sizes)


def test_what_a_capsule_may_hold_passes():
    capsule.check_sizes({"manifest.json": 1, "files/a": capsule.MAX_FILE, "rows/a.ndjson": 2**29})


def test_secrets_are_left_out_wherever_they_are():
    value = {"a": [{"api_key": "x", "tokens": 5, "Password": ""}], "Authorization": "y", "b": "z"}

    assert capsule.redact(value) == {
        "a": [{"api_key": "[redacted]", "tokens": 5, "Password": ""}],
        "Authorization": "[redacted]",
        "b": "z",
    }


def test_a_snapshot_is_what_its_digest_says():
    body = '{"memory":{},"participants":[]}'
    capsule.check_snapshot(body, digest=checkpoints.digest(body), size=len(body))

    for wrong in ("{}", "x"):
        with pytest.raises(ValidationFailed):
            capsule.check_snapshot(wrong, digest=checkpoints.digest(wrong), size=len(wrong))
    with pytest.raises(ValidationFailed):
        capsule.check_snapshot(body, digest=checkpoints.digest(body), size=1)


def test_an_event_says_what_its_columns_say():
    row = {"seq": 1, "type": "a", "actor": "b", "cause": ""}
    capsule.check_event({**row, "body": json.dumps(row)})

    for body in ("[]", "{}", None, json.dumps({**row, "seq": 2})):
        with pytest.raises(ValidationFailed):
            capsule.check_event({**row, "body": body})


def test_each_table_has_its_key():
    assert all("id" in columns for columns in COLUMNS.values())
