from datetime import UTC, datetime, timedelta

from components.core import beats
from components.core.beats import Beat, Sign

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_marks_are_read_as_they_were_added_with_the_seconds_between_them():
    kept = beats.add("", Sign.CONNECTED, at(0))
    kept = beats.add(kept, Sign.HEARD, at(5.04))
    kept = beats.add(kept, Sign.LATE, at(11.3))

    assert beats.read(kept) == [
        Beat(Sign.CONNECTED, at(0), None),
        Beat(Sign.HEARD, at(5), 5.0),
        Beat(Sign.LATE, at(11.3), 6.3),
    ]


def test_the_oldest_mark_gives_way_to_the_newest():
    kept = ""
    for n in range(beats.KEPT + 3):
        kept = beats.add(kept, Sign.HEARD, at(n))

    found = beats.read(kept)

    assert len(kept) == beats.LENGTH
    assert [found[0].at, found[-1].at] == [at(3), at(62)]
    assert len(found) == beats.KEPT


def test_a_component_that_never_came_has_no_marks():
    assert beats.read("") == []
