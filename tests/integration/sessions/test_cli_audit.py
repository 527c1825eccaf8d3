import csv
import io
import json
from uuid import uuid4

import pytest

from streaming.models import AuditChain, AuditEntry
from streaming.services import sealing
from tests import emptying

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


@pytest.fixture
def desk(aegis):
    """A session that was made and started at the command line, with a refusal in between."""
    emptying.forget_audit()
    aegis("session", "create", "Desk", "--key", "desk")
    aegis("session", "pause", "desk")
    aegis("session", "start", "desk")
    return AuditEntry.objects.get(command="session.start")


def test_entries_are_listed_and_shown(aegis, desk: AuditEntry):
    listed = aegis("audit", "list", "--json").document
    table = aegis("audit", "list", "--outcome", "refused").out.splitlines()
    shown = aegis("audit", "show", str(desk.pk), "--json").document
    in_words = aegis("audit", "show", str(desk.pk)).out
    missing = aegis("audit", "show", "0")

    commands = [one["command"] for one in listed["data"]]
    assert commands == ["session.start", "session.pause", "session.create"]
    assert table[0].split() == ["ENTRY", "AT", "COMMAND", "OUTCOME", "ACTOR", "BY", "TARGET"]
    assert table[1].split()[2:4] == ["session.pause", "INVALID_STATE"]
    assert shown["schema"] == "aegis.audit.show/1"
    assert shown["data"] == listed["data"][0]
    assert "command       session.start" in in_words.splitlines()
    assert missing.code == 3


def test_lists_are_narrowed_by_moments(aegis, desk: AuditEntry):
    before = aegis("audit", "list", "--until", "2020-01-01", "-q")
    after = aegis(
        "audit", "list", "--since", "2020-01-01T00:00+00:00", "--command", "*.start", "-q"
    )
    wrong = aegis("audit", "list", "--since", "yesterday")

    assert (before.out, after.out) == ("", "")
    assert wrong.code == 2


def test_entries_are_searched(aegis, desk: AuditEntry):
    aegis("session", "pause", "desk", "--reason", "Wörkshop")
    reason = aegis("audit", "search", "wörkshop", "--json").document
    refused = aegis("audit", "search", "DESK", "--outcome", "refused", "-q")
    nothing = aegis("audit", "search", "quagga", "-q")

    [entry] = reason["data"]
    assert (entry["command"], entry["detail"]["reason"]) == ("session.pause", "Wörkshop")
    assert len(refused.out.splitlines()) == 1
    assert (nothing.code, nothing.out) == (0, "")


def test_more_than_the_limit_is_told(aegis, desk: AuditEntry):
    told = aegis("audit", "list", "--limit", "1", "-q")

    assert len(told.out.splitlines()) == 1
    assert "There are more than 1" in told.err


def test_entries_are_exported(aegis, desk: AuditEntry):
    lines = aegis("audit", "export", "--session", "desk").out.splitlines()
    table = aegis("audit", "export", "--format", "csv", "--outcome", "refused").out

    commands = [json.loads(one)["command"] for one in lines]
    assert commands == ["session.create", "session.pause", "session.start"]
    assert [one["code"] for one in csv.DictReader(io.StringIO(table))] == ["INVALID_STATE"]


def test_the_chain_is_verified(aegis, desk: AuditEntry):
    sealing.seal(lease_id=uuid4())
    end = AuditChain.objects.get()
    AuditEntry.objects.create(command="x", actor="x", outcome="ok")

    told = aegis("audit", "verify")
    kept = aegis("audit", "verify", "-q", "--kept", f"{end.place}:{end.digest}")
    AuditChain.objects.update(place=4, digest="ab")
    broken = aegis("audit", "verify", "--json")
    wrong = aegis("audit", "verify", "--kept", "7")

    assert told.out.splitlines() == ["3 entries, chain whole", f"3:{end.digest}"]
    assert "1 are not in the chain yet" in told.err
    assert (kept.code, kept.out) == (0, f"3:{end.digest}\n")
    assert broken.code == 9
    assert broken.document["data"]["fault"] == {
        "kind": "cut",
        "place": 4,
        "entry": None,
        "message": "The chain ends at place 3, but the sealer knows of place 4.",
    }
    assert wrong.code == 2
