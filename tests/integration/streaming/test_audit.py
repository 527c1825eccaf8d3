from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from aegis_project.kit import principal
from aegis_project.kit.errors import NotFound, PermissionDenied
from aegis_project.kit.principal import Principal
from streaming.core.audit_chain import SEALED
from streaming.models import AuditChain, AuditEntry
from streaming.models.audit import Untouchable
from streaming.selectors import audit_proof
from streaming.selectors.audit_proof import Anchor, Verdict
from streaming.services import audit, sealing
from tests import emptying, factories

pytestmark = pytest.mark.django_db

SYSTEM = principal.system("tests")
HERE = uuid4()
TABLE = "aegis_streaming_auditentry"


def note(count: int = 1) -> None:
    """Entries of commands that were carried out."""
    session = factories.session()
    for number in range(count):
        audit.accepted(
            command="test.note",
            principal=SYSTEM.via("rest", request_id=f"r-{number}"),
            session_id=session.pk,
            target=session.key,
            detail={"number": number, "part": 1.5, "words": ["é", None, True]},
        )


@pytest.fixture
def sealed() -> list[AuditEntry]:
    """Six entries in the chain, and no more."""
    emptying.forget_audit()
    note(6)
    sealing.seal(lease_id=HERE)
    # The creation of the session comes first.
    return list(AuditEntry.objects.order_by("place"))


@pytest.fixture
def opened() -> None:
    """The database as one finds it who may take its triggers away."""
    guards = emptying.guards()
    with connection.cursor() as cursor:
        for statement in guards.OPENED[connection.vendor]:
            cursor.execute(statement)


def change(values: str, where: str = "1 = 1") -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET {values} WHERE {where}")  # noqa: S608 -- our own words


def remove(where: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE {where}")  # noqa: S608 -- our own words


def verified(**more: Any) -> Verdict:
    return audit_proof.verify(SYSTEM, **more)


# Sealing


def test_entries_are_sealed_in_the_order_of_their_ids(sealed: list[AuditEntry]):
    chain = AuditChain.objects.get()

    assert [one.place for one in sealed] == [1, 2, 3, 4, 5, 6, 7]
    assert [one.pk for one in sealed] == sorted(one.pk for one in sealed)
    assert [one.previous for one in sealed] == ["", *(one.digest for one in sealed[:-1])]
    assert (chain.place, chain.digest) == (7, sealed[-1].digest)
    assert verified() == Verdict(None, 7, 0, 7, sealed[-1].digest, has_more=False)
    assert verified().sentence == "7 entries, chain whole"


def test_one_that_was_committed_late_stands_behind_those_that_were_there(
    sealed: list[AuditEntry], opened: None
):
    late = AuditEntry(pk=sealed[0].pk - 1, command="test.late", actor="x", outcome="ok")
    late.save(force_insert=True)

    assert sealing.seal(lease_id=HERE) == 1
    late.refresh_from_db()
    assert (late.place, late.previous) == (8, sealed[-1].digest)
    assert verified().fault is None


def test_so_many_are_sealed_at_once(sealed: list[AuditEntry]):
    note(3)

    assert [sealing.seal(lease_id=HERE, limit=3) for _ in range(3)] == [3, 1, 0]


def test_only_one_process_seals_until_its_time_is_over(sealed: list[AuditEntry]):
    note()
    other = uuid4()

    assert sealing.seal(lease_id=other) == 0
    AuditChain.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert sealing.seal(lease_id=other) == 2
    note()

    # The one that was held up finds another holder, and leaves it alone.
    assert sealing.seal(lease_id=HERE) == 0


def test_the_log_hears_of_the_end_once_a_minute(sealed: list[AuditEntry], caplog: Any):
    caplog.set_level("INFO", "streaming")
    AuditChain.objects.update(told_at=None)

    for _ in range(2):
        note()
        sealing.seal(lease_id=HERE)

    [record] = [one for one in caplog.records if getattr(one, "action", "") == "audit_sealed"]
    entry = AuditEntry.objects.get(place=record.place)
    assert (record.place, record.digest) == (9, entry.digest)


# Nothing is changed


@pytest.fixture
def kept() -> None:
    """What the tests take away, to empty tables, stands as everywhere else."""
    guards = emptying.guards()
    with connection.cursor() as cursor:
        for statement in guards.GUARDS[connection.vendor]:
            if "TRIGGER aegis_audit_kept" in statement:
                cursor.execute(statement)


def test_the_application_refuses_to_change_or_remove_an_entry(sealed: list[AuditEntry]):
    entry = sealed[0]
    everything = AuditEntry.objects.all()

    for attempt in (
        entry.save,
        entry.delete,
        everything.delete,
        lambda: everything.update(actor="nobody"),
        lambda: AuditEntry.objects.bulk_update([entry], ["actor"]),
    ):
        with pytest.raises(Untouchable):
            attempt()


@pytest.mark.parametrize("field", SEALED)
def test_the_database_refuses_to_change_a_sealed_entry(sealed: list[AuditEntry], field: str):
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        change(f"{field} = {OTHERS[connection.vendor][field]}", "place = 3")

    assert verified().fault is None


def test_the_database_refuses_to_change_an_entry_that_is_not_sealed_yet(sealed: list[AuditEntry]):
    note()

    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        change("actor = 'nobody'", "place IS NULL")


@pytest.mark.parametrize("which", ["place = 3", "place IS NULL"])
def test_the_database_refuses_to_remove_an_entry(sealed: list[AuditEntry], kept: None, which: str):
    note()

    with pytest.raises(DatabaseError, match=r"never (changed or )?removed"), transaction.atomic():
        remove(which)


def test_a_session_that_is_gone_stays_named(sealed: list[AuditEntry]):
    session = sealed[1].session
    assert session is not None
    number = session.pk

    session.delete()

    assert AuditEntry.objects.filter(session_id=number).count() == 7
    assert verified().fault is None


# Whoever may change the tables is found out

SAME: dict[str, str] = {
    "id": "id + 1000",
    "command": "'session.end'",
    "actor": "'user:nobody'",
    "principal_id": "'user:0'",
    "transport": "'cli'",
    "request_id": "'r-99'",
    "session_id": "NULL",
    "target": "'other'",
    "outcome": "'refused'",
    "code": "'X'",
    "detail": "'{}'",
    "place": "NULL",
    "previous": "'ab'",
    "digest": "'ab'",
}
OTHERS = {
    "sqlite": SAME | {"at": "datetime(at, '-1 second')"},
    "postgresql": SAME | {"at": "at - interval '1 microsecond'"},
}


@pytest.mark.parametrize("which", [1, 4, 7])
@pytest.mark.parametrize("field", SEALED)
def test_whatever_is_changed_is_named(
    sealed: list[AuditEntry], opened: None, field: str, which: int
):
    change(f"{field} = {OTHERS[connection.vendor][field]}", f"place = {which}")

    fault = verified().fault

    assert fault is not None
    assert fault.place == which


def test_what_was_removed_is_named(sealed: list[AuditEntry], opened: None):
    remove("place = 4")

    fault = verified().fault

    assert fault is not None
    assert (fault.kind, fault.place) == ("missing", 4)


def test_an_end_that_was_cut_off_is_named(sealed: list[AuditEntry], opened: None):
    remove("place > 5")

    fault = verified().fault

    assert fault is not None
    assert (fault.kind, fault.place) == ("cut", 6)


def test_an_end_that_was_cut_off_with_what_the_sealer_knows_is_named_by_a_kept_digest(
    sealed: list[AuditEntry], opened: None
):
    remove("place > 5")
    AuditChain.objects.update(place=5, digest=sealed[4].digest)

    fault = verified(kept=Anchor(7, sealed[6].digest)).fault

    assert verified().fault is None
    assert fault is not None
    assert (fault.kind, fault.place) == ("cut", 6)


def test_a_chain_that_was_made_anew_is_named_by_a_kept_digest(
    sealed: list[AuditEntry], opened: None
):
    change("place = NULL, previous = '', digest = ''")
    change("actor = 'nobody'")
    AuditChain.objects.all().delete()
    sealing.seal(lease_id=HERE)

    fault = verified(kept=Anchor(3, sealed[2].digest)).fault

    assert verified().fault is None
    assert verified(kept=Anchor(3, AuditEntry.objects.get(place=3).digest)).fault is None
    assert fault is not None
    assert (fault.kind, fault.place) == ("changed", 3)


def test_an_entry_that_somebody_else_put_at_the_end_is_named(sealed: list[AuditEntry]):
    AuditEntry.objects.create(command="x", actor="x", outcome="ok", place=8, previous="", digest="")

    fault = verified().fault

    assert fault is not None
    assert (fault.kind, fault.place) == ("inserted", 8)


def test_a_walk_in_parts_comes_to_the_same(sealed: list[AuditEntry], opened: None):
    change("actor = 'nobody'", "place = 6")

    first = verified(limit=4)
    rest = verified(after=first.place, limit=4)

    assert (first.checked, first.has_more, first.fault) == (4, True, None)
    assert (rest.checked, rest.has_more) == (1, False)
    assert rest.fault is not None
    assert rest.fault.place == 6


def test_a_walk_needs_the_scope_and_a_place_to_begin_behind(sealed: list[AuditEntry]):
    with pytest.raises(PermissionDenied):
        audit_proof.verify(Principal(kind="user", id="user:1", label="anna"))
    with pytest.raises(NotFound):
        verified(after=99)
