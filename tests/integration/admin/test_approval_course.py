from datetime import UTC, datetime, timedelta

import pytest

from sessions.admin import approval_course
from sessions.core.course import Measured
from sessions.models import Approval
from sessions.selectors.situation import Course

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MS = int(AT.timestamp() * 1000)
BID = Measured("book", "bid")


def shown(*points: tuple[int, float]) -> dict[str, object]:
    found = approval_course.context(
        Approval(requested_at=AT), Course(BID, [*points]), why="", now=AT
    )
    return dict(found.get("course", {}))


def test_sentence_says_what_the_chart_shows():
    found = shown((MS - 2000, 62298.4), (MS - 1000, 62299), (MS + 1000, -5))

    assert found["name"] == "book bid"
    assert found["sentence"] == (
        "62\u2009299 when asked, \u22125 at last, between \u22125 and 62\u2009299."
    )
    assert found["asked_at"] == "2026-11-22T09:00:00.000Z"


def test_what_began_later_has_no_value_from_when_it_was_asked():
    assert shown((MS + 1, 1), (MS + 2, 2))["sentence"] == "2 at last, between 1 and 2."


@pytest.mark.parametrize("course", [None, Course(BID, []), Course(BID, [(MS, 1.0)])])
def test_a_single_point_is_no_chart(course):
    assert approval_course.context(Approval(requested_at=AT), course, why="", now=AT) == {}


def test_second_line_has_its_words_and_says_when_it_is_stale():
    asked = Approval(requested_at=AT)
    moves = [(MS + step, float(step)) for step in range(0, 20_000, 1000)]
    still = [(MS + step, 7.0) for step in range(0, 20_000, 1000)]
    at = AT + timedelta(seconds=20)

    def told(other, points) -> dict[str, object]:
        course = Course(BID, moves, other, points)
        return dict(approval_course.context(asked, course, why="", now=at)["course"])

    stale = told(Measured("book", "mid"), still)
    moving = told(Measured("mid", ""), moves)

    assert stale["beside_sentence"] == "mid stands at 7 for 20 s: stale."
    assert (stale["beside"], stale["still_since"]) == ("mid", MS)
    assert (moving["beside"], moving["still_since"]) == ("mid", "")
    assert moving["beside_sentence"] == "mid 19\u2009000 at last."
    assert "beside" not in told(Measured("mid", ""), still[:1])
