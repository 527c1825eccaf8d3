import pytest

from aegis_project.kit.errors import ValidationFailed
from streaming.core import resume
from streaming.core.position import Cursor, Position
from streaming.core.resume import Gap, LogView, Placement, Rewind, Start, Unprovable

EPOCH, OTHER = "e" * 16, "f" * 16
LATEST = Start()


def ck(seq):
    return seq.to_bytes(8, "big")


def lost(seq):
    return b"lost" + seq.to_bytes(4, "big")


VIEW = LogView(EPOCH, start=11, head=20, ck={seq: ck(seq) for seq in range(10, 21)})


@pytest.mark.parametrize("seq", [10, 15, 20])
def test_cursor_that_matches_goes_on_behind_itself(seq):
    cursor = Cursor(EPOCH, seq, ck(seq))

    assert resume.place(VIEW, LATEST, cursor) == Placement(seq + 1, ck(seq), is_resumed=True)


def test_cursor_that_matches_needs_no_epoch():
    cursor = Cursor(OTHER, 15, ck(15))

    assert resume.place(VIEW, LATEST, cursor) == Placement(16, ck(15), is_resumed=True)


def test_cursor_ahead_of_the_head_that_the_log_can_prove_waits_there():
    view = LogView(EPOCH, start=1, head=20, ck={**VIEW.ck, 50: ck(50)})

    placed = resume.place(view, LATEST, Cursor(EPOCH, 50, ck(50)))

    assert placed == Placement(51, ck(50), is_resumed=True)


def test_highest_point_of_the_trail_that_matches_is_rewound_to():
    trail = ((12, ck(12)), (14, ck(14)), (16, lost(16)), (19, ck(19)))
    cursor = Cursor(EPOCH, 18, lost(18), trail)

    placed = resume.place(VIEW, LATEST, cursor)

    assert placed == Placement(15, ck(14), Rewind(14, ck(14)))


def test_cursor_before_retention_is_told_exactly_what_is_missing():
    placed = resume.place(VIEW, LATEST, Cursor(EPOCH, 4, ck(4)))

    gap = Gap(5, 10, "retention")
    assert placed == Placement(11, ck(10), gap)
    assert gap.count == 6


def test_cursor_of_a_lost_tail_is_told_the_last_provable_position_and_no_count():
    placed = resume.place(VIEW, LATEST, Cursor(EPOCH, 18, lost(18)))

    told = Unprovable(Position(EPOCH, 18, lost(18)), "rollback")
    assert placed == Placement(21, ck(20), told)


def test_cursor_of_another_epoch_is_told_so_even_before_retention():
    placed = resume.place(VIEW, LATEST, Cursor(OTHER, 4, ck(4)))

    assert placed == Placement(21, ck(20), Unprovable(Position(OTHER, 4, ck(4)), "epoch"))


def test_client_may_ask_to_see_everything_after_an_unprovable_cursor():
    placed = resume.place(VIEW, Start("earliest"), Cursor(OTHER, 4, ck(4)))

    assert placed == Placement(11, ck(10), Unprovable(Position(OTHER, 4, ck(4)), "epoch"))


def test_unprovable_cursor_never_goes_on_before_the_log():
    placed = resume.place(VIEW, Start("seq", 3), Cursor(OTHER, 4, ck(4)))

    assert placed.next == 11


@pytest.mark.parametrize(
    ("begin", "placed"),
    [
        (Start(), Placement(21, ck(20))),
        (Start("latest", 3), Placement(18, ck(17))),
        (Start("latest", 100), Placement(11, ck(10))),
        (Start("earliest"), Placement(11, ck(10))),
        (Start("seq", 15), Placement(15, ck(14))),
        (Start("seq", 21), Placement(21, ck(20))),
        (Start("seq", 30), Placement(30, None)),
        (Start("seq", 6), Placement(11, ck(10), Gap(6, 10, "retention"))),
        (Start("seq", 0), Placement(11, ck(10), Gap(1, 10, "retention"))),
    ],
)
def test_without_cursor_delivery_begins_where_it_was_asked_to(begin, placed):
    assert resume.place(VIEW, begin) == placed


def test_points_are_what_the_rule_looks_at():
    cursor = Cursor(EPOCH, 18, ck(18), ((12, ck(12)),))

    assert resume.points(11, 20, Start("latest", 3), cursor) == {10, 20, 17, 18, 12}
    assert resume.points(11, 20, LATEST, None) == {10, 20}


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("latest", Start("latest", 0)),
        ("latest-5", Start("latest", 5)),
        ("earliest", Start("earliest")),
        ("seq:7", Start("seq", 7)),
        ("time:1767139200000", Start("time", 1767139200000)),
    ],
)
def test_start_is_read_from_its_word(text, start):
    assert resume.parse_start(text) == start


@pytest.mark.parametrize(
    "text", ["", "Latest", "latest-", "latest--1", "seq:", "seq:-1", "seq:x", "time:9" + "9" * 15]
)
def test_other_words_are_no_start(text):
    with pytest.raises(ValidationFailed):
        resume.parse_start(text)
