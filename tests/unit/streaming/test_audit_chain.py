from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.core import audit_chain
from streaming.core.audit_chain import FIELDS, SEALED, Fault, Walk

AT = datetime(2026, 11, 21, 12, 0, 0, 5, tzinfo=UTC)
ENTRY: dict[str, Any] = {
    "id": 4,
    "at": AT,
    "command": "session.start",
    "actor": "user:Änne",
    "principal_id": "user:1",
    "transport": "rest",
    "request_id": "r-1",
    "session_id": UUID(int=1),
    "target": "desk",
    "outcome": "ok",
    "code": "",
    "detail": {"to": "running", "from": "created"},
}


def chain(count: int) -> list[dict[str, Any]]:
    """Entries as the sealer leaves them."""
    sealed: list[dict[str, Any]] = []
    previous = ""
    for place in range(1, count + 1):
        # Committed in another order than that of their ids.
        entry = {**ENTRY, "id": 100 - place, "at": AT + timedelta(seconds=place)}
        digest = audit_chain.digest(entry, place=place, previous=previous)
        sealed.append({**entry, "place": place, "previous": previous, "digest": digest})
        previous = digest
    return sealed


def check(entries: list[dict[str, Any]], *, place: int, digest: str) -> Fault | None:
    walk = Walk()
    for entry in sorted(entries, key=lambda one: one["place"]):
        fault = walk.step(entry)
        if fault is not None:
            return fault
    return walk.end(place=place, digest=digest, keeper="the sealer")


def test_the_canonical_text_is_what_is_documented():
    assert audit_chain.canonical(ENTRY, place=7, previous="ab") == (
        b"aegis.audit.1\n"
        b'{"actor":"user:\\u00c4nne","at":"2026-11-21T12:00:00.000005+00:00","code":"",'
        b'"command":"session.start","detail":{"from":"created","to":"running"},"id":4,'
        b'"outcome":"ok","place":7,"previous":"ab","principal_id":"user:1",'
        b'"request_id":"r-1","session_id":"00000000-0000-0000-0000-000000000001",'
        b'"target":"desk","transport":"rest"}'
    )


def test_a_moment_is_the_same_in_every_zone():
    there = {**ENTRY, "at": AT.astimezone(timezone(timedelta(hours=9)))}

    assert audit_chain.digest(there, place=1, previous="") == audit_chain.digest(
        ENTRY, place=1, previous=""
    )


def test_a_whole_chain_has_no_fault():
    entries = chain(5)

    assert check(entries, place=5, digest=entries[-1]["digest"]) is None


def test_a_walk_may_begin_behind_a_known_place():
    entries = chain(5)
    walk = Walk(place=3, digest=entries[2]["digest"])

    assert [walk.step(one) for one in entries[3:]] == [None, None]
    assert (walk.place, walk.digest) == (5, entries[-1]["digest"])


def test_an_entry_that_was_sealed_behind_another_one_does_not_follow():
    entries = chain(3)
    foreign = {**entries[2], "previous": "ab"}
    foreign["digest"] = audit_chain.digest(foreign, place=3, previous="ab")

    fault = check([*entries[:2], foreign], place=3, digest=foreign["digest"])

    assert fault is not None
    assert (fault.kind, fault.place) == ("unlinked", 3)


def test_a_last_entry_that_was_sealed_anew_is_not_the_one_that_is_known():
    entries = chain(3)
    known = entries[2]["digest"]
    anew = {**entries[2], "actor": "user:Eve"}
    anew["digest"] = audit_chain.digest(anew, place=3, previous=anew["previous"])

    fault = check([*entries[:2], anew], place=3, digest=known)

    assert fault is not None
    assert (fault.kind, fault.place) == ("changed", 3)


TEXT = st.text("ab \n\x00é", max_size=8)
OTHERS = {
    "id": st.integers(200, 300),
    "at": st.integers(1, 10**9).map(lambda more: AT - timedelta(microseconds=more)),
    "session_id": st.none() | st.uuids(),
    "detail": st.dictionaries(TEXT, st.integers() | TEXT, max_size=3),
    "place": st.integers(1, 9),
}


@given(data=st.data(), field=st.sampled_from(SEALED), which=st.integers(0, 5))
def test_whatever_is_changed_in_whatever_entry_is_named(data: Any, field: str, which: int):
    entries = chain(6)
    end = entries[-1]["digest"]
    other = data.draw(OTHERS.get(field, TEXT).filter(lambda one: one != entries[which][field]))

    entries[which][field] = other
    fault = check(entries, place=6, digest=end)

    assert fault is not None
    # One that lost its place is missed there, unless it is met before in another one's.
    assert fault.place == which + 1 or (field == "place" and fault.place <= which + 1)


@given(which=st.integers(0, 5), field=st.sampled_from(FIELDS[2:7]))
def test_one_that_was_sealed_anew_is_found_by_the_next_or_by_the_end(which: int, field: str):
    entries = chain(6)
    end = entries[-1]["digest"]
    forged = {**entries[which], field: "forged"}
    forged["digest"] = audit_chain.digest(
        forged, place=forged["place"], previous=forged["previous"]
    )

    entries[which] = forged
    fault = check(entries, place=6, digest=end)

    assert fault is not None
    assert fault.place == min(which + 2, 6)


@pytest.mark.parametrize(
    ("removed", "fault"),
    [
        ({1}, Fault("missing", 1, 98, "There is no entry at place 1; the next is entry 98 at place 2.")),
        ({3}, Fault("missing", 3, 96, "There is no entry at place 3; the next is entry 96 at place 4.")),
        (
            {2, 3},
            Fault("missing", 2, 96, "There is no entry at places 2 to 3; the next is entry 96 at place 4."),
        ),
        ({5}, Fault("cut", 5, None, "The chain ends at place 4, but the sealer knows of place 5.")),
    ],
)  # fmt: skip
def test_what_was_removed_is_named_by_its_place(removed: set[int], fault: Fault):
    entries = [one for one in chain(5) if one["place"] not in removed]

    assert check(entries, place=5, digest=chain(5)[-1]["digest"]) == fault


def test_two_that_changed_places_are_named():
    entries = chain(4)
    entries[1]["place"], entries[2]["place"] = 3, 2

    assert check(entries, place=4, digest=entries[3]["digest"]) == Fault(
        "changed", 2, 97, "Entry 97 at place 2 was changed after it was sealed."
    )


def test_an_end_that_is_further_than_is_known_is_no_fault_of_the_walk():
    entries = chain(3)

    assert check(entries, place=2, digest="whatever") is None


def test_an_entry_behind_the_end_was_not_put_there_by_the_sealer():
    fault = audit_chain.beyond(entry=97, place=3)

    assert replace(fault, message="") == Fault("inserted", 3, 97, "")
