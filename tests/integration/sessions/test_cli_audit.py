import csv
import io
import json
from uuid import uuid4

import pytest

from sessions.management import audit_filters, far_audit
from sessions.services import lifecycle
from streaming.api.audit_documents import AuditFilter
from streaming.models import AuditChain, AuditEntry
from streaming.services import sealing
from tests import emptying
from tests.factories import OPERATOR

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


@pytest.fixture
def desk(aegis, monkeypatch: pytest.MonkeyPatch):
    """A session that was made and started at the command line, with a refusal in between."""
    emptying.forget_audit()
    with monkeypatch.context() as here:
        here.delenv("AEGIS_SERVER", raising=False)
        aegis("session", "create", "Desk", "--key", "desk")
        aegis("session", "pause", "desk")
        aegis("session", "start", "desk")
    return AuditEntry.objects.get(command="session.start")


def test_entries_are_listed_and_shown(anywhere, desk: AuditEntry):
    listed = anywhere("audit", "list", "--json").document
    table = anywhere("audit", "list", "--outcome", "refused").out.splitlines()
    shown = anywhere("audit", "show", str(desk.pk), "--json").document
    in_words = anywhere("audit", "show", str(desk.pk)).out
    missing = anywhere("audit", "show", "0")

    commands = [one["command"] for one in listed["data"]]
    assert commands == ["session.start", "session.pause", "session.create"]
    assert table[0].split() == ["ENTRY", "AT", "COMMAND", "OUTCOME", "ACTOR", "BY", "TARGET"]
    assert table[1].split()[2:4] == ["session.pause", "INVALID_STATE"]
    assert shown["schema"] == "aegis.audit.show/1"
    assert shown["data"] == listed["data"][0]
    assert "command       session.start" in in_words.splitlines()
    assert missing.code == 3


def test_lists_are_narrowed_by_moments(anywhere, desk: AuditEntry):
    before = anywhere("audit", "list", "--until", "2020-01-01", "-q")
    after = anywhere(
        "audit", "list", "--since", "2020-01-01T00:00+00:00", "--command", "*.start", "-q"
    )
    wrong = anywhere("audit", "list", "--since", "yesterday")

    assert (before.out, after.out) == ("", "")
    assert wrong.code == 2


def test_entries_are_searched(anywhere, desk: AuditEntry):
    lifecycle.pause(principal=OPERATOR, session=str(desk.session_id), reason="Wörkshop")
    reason = anywhere("audit", "search", "wörkshop", "--json").document
    refused = anywhere("audit", "search", "DESK", "--outcome", "refused", "-q")
    nothing = anywhere("audit", "search", "quagga", "-q")

    [entry] = reason["data"]
    assert (entry["command"], entry["detail"]["reason"]) == ("session.pause", "Wörkshop")
    assert len(refused.out.splitlines()) == 1
    assert (nothing.code, nothing.out) == (0, "")


def test_more_than_the_limit_is_told(anywhere, desk: AuditEntry):
    told = anywhere("audit", "list", "--limit", "1", "-q")

    assert len(told.out.splitlines()) == 1
    assert "There are more than 1" in told.err


def test_what_is_listed_there_is_what_is_listed_here(aegis, far, monkeypatch, desk: AuditEntry):
    there = far("audit", "list", "--json", scopes=("audit:read",)).document
    shown = far("audit", "list", "--code", "INVALID_STATE", scopes=("audit:read",)).out
    refused = far("audit", "list")
    monkeypatch.delenv("AEGIS_SERVER")
    here = aegis("audit", "list", "--session", "desk", "--json").document
    table = aegis("audit", "list", "--code", "INVALID_STATE", "--session", "desk").out

    assert (there, shown) == (here, table)
    assert refused.code == 4


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["--target", "desk"], 2),
        (["--text", "DESK", "--outcome", "ok"], 2),
        (["--transport", "cli", "--command", "session.*"], 3),
        (["--transport", "rest"], 0),
        (["--code", "INVALID_STATE"], 1),
        (["--request-id", "none"], 0),
        (["--actor", "system:*", "--session", "desk"], 3),
    ],
)
def test_the_filters_are_those_of_the_interface(
    anywhere, desk: AuditEntry, words: list[str], count: int
):
    listed = anywhere("audit", "list", *words, "-q")

    assert len(listed.out.split()) == count


def test_every_filter_of_the_interface_has_an_option():
    assert set(audit_filters.FILTERS) == set(AuditFilter.__struct_fields__)


@pytest.mark.django_db(transaction=True)
def test_entries_are_exported(anywhere, desk: AuditEntry):
    lines = anywhere("audit", "export", "--session", "desk").out.splitlines()
    table = anywhere("audit", "export", "--format", "csv", "--outcome", "refused").out

    commands = [json.loads(one)["command"] for one in lines]
    assert commands == ["session.create", "session.pause", "session.start"]
    assert [one["code"] for one in csv.DictReader(io.StringIO(table))] == ["INVALID_STATE"]


def test_the_chain_is_verified(anywhere, monkeypatch, desk: AuditEntry):
    monkeypatch.setattr(far_audit, "AT_ONCE", 2)
    sealing.seal(lease_id=uuid4())
    end = AuditChain.objects.get()
    AuditEntry.objects.create(command="x", actor="x", outcome="ok")

    told = anywhere("audit", "verify")
    kept = anywhere("audit", "verify", "-q", "--kept", f"{end.place}:{end.digest}")
    behind = anywhere("audit", "verify", "--after", "1", "--json").document["data"]
    AuditChain.objects.update(place=4, digest="ab")
    broken = anywhere("audit", "verify", "--json")
    wrong = anywhere("audit", "verify", "--kept", "7")

    assert told.out.splitlines() == ["3 entries, chain whole", f"3:{end.digest}"]
    assert "are not in the chain yet" in told.err
    assert (kept.code, kept.out) == (0, f"3:{end.digest}\n")
    assert (behind["checked"], behind["sentence"]) == (2, "2 entries, chain whole")
    assert (broken.code, broken.document["data"]["checked"]) == (9, 3)
    assert broken.document["data"]["fault"] == {
        "kind": "cut",
        "place": 4,
        "entry": None,
        "message": "The chain ends at place 3, but the sealer knows of place 4.",
    }
    assert wrong.code == 2


def test_the_newest_entries_are_told_and_what_is_written_meanwhile(
    aegis, far, monkeypatch, desk: AuditEntry
):
    old = far("audit", "tail", "--last", "2", "--no-follow", scopes=("audit:read",)).out
    looks = iter([lambda: lifecycle.pause(principal=OPERATOR, session=str(desk.session_id))])

    def look(_seconds: float) -> None:
        next(looks, _interrupted)()

    monkeypatch.setattr(far_audit, "_pause", look)
    followed = far("audit", "tail", "--last", "1", "--json", scopes=("audit:read",))
    monkeypatch.delenv("AEGIS_SERVER")
    here = aegis("audit", "tail", "--last", "3", "--no-follow", "--session", "desk").out

    told = [json.loads(one)["command"] for one in followed.out.splitlines()]
    assert told == ["session.start", "session.pause"]
    assert followed.code == 130
    assert old.splitlines() == here.splitlines()[:2]


def _interrupted() -> None:
    raise KeyboardInterrupt
