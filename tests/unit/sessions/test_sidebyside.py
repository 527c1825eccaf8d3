import pytest

from sessions.core import sidebyside
from sessions.core.sidebyside import Pair, step


def said(seq, preview, **more):
    return step(seq, "message.created", {"preview": preview, "message": f"m-{seq}", **more})


def asked(seq, **arguments):
    return step(seq, "tool_call.pending", {"tool": "order", "arguments": arguments, "digest": seq})


def test_ids_times_and_costs_are_no_difference():
    left, right = [said(4, "buy", place=2)], [said(9, "buy", place=7)]

    assert sidebyside.common(left, right) == 1
    assert Pair(left[0], right[0]).is_same
    assert Pair(left[0], right[0]).differences() == []


@pytest.mark.parametrize(
    ("event_type", "is_compared"),
    [
        ("message.created", True),
        ("tool_call.completed", True),
        ("error.occurred", True),
        ("run.released", False),
        ("component.lost", False),
        ("session.activated", False),
        ("unheard.of", False),
    ],
)
def test_what_was_done_is_compared_and_who_came_and_went_is_not(event_type, is_compared):
    assert sidebyside.counts(event_type) is is_compared


def test_they_part_where_the_first_differs_and_it_is_told_in_what():
    left = [said(1, "go"), asked(2, quantity=5), said(3, "done")]
    right = [said(11, "go"), asked(12, quantity=7), said(13, "done")]

    found = sidebyside.pairs(left, right)

    assert sidebyside.common(left, right) == 1
    assert [one.verdict for one in found] == ["same", "differs", "same"]
    [difference] = found[1].differences()
    assert (difference.path, difference.before, difference.after) == ("/arguments/quantity", 5, 7)


def test_what_only_one_did_stands_alone_and_the_rest_beside_its_like():
    left = [said(1, "go"), said(2, "again"), said(3, "done")]
    right = [said(11, "go"), said(13, "done")]

    found = sidebyside.pairs(left, right)

    assert [(one.left and one.left.seq, one.right and one.right.seq) for one in found] == [
        (1, 11),
        (2, None),
        (3, 13),
    ]
    assert found[1].differences() == []
    assert not found[1].is_same
    assert [one.verdict for one in found] == ["same", "left", "same"]
    back = sidebyside.pairs(right, left)
    assert [one.verdict for one in back] == ["same", "right", "same"]


def test_things_of_two_kinds_have_no_difference_of_their_data():
    assert Pair(said(1, "go"), asked(2, quantity=5)).differences() == []


@pytest.mark.parametrize("shorter", [0, 1])
def test_one_that_goes_on_where_the_other_ends_parts_there(shorter):
    sides = [[said(1, "go")], [said(1, "go"), said(2, "on")]]
    left, right = sides[shorter], sides[1 - shorter]

    assert sidebyside.common(left, right) == 1
    assert [one.is_same for one in sidebyside.pairs(left, right)] == [True, False]
