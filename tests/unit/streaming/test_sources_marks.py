from streaming.sources.marks import Marks


def test_marks_are_kept_at_least_their_spacing_apart():
    marks = Marks("origin", spacing=10)

    for number in range(31):
        marks.add(number, str(number))

    assert [marks.before(number) for number in (0, 9, 10, 19, 20, 35)] == [
        "origin",
        "origin",
        "10",
        "10",
        "20",
        "30",
    ]


def test_mark_may_come_between_others():
    marks = Marks(0, spacing=10)
    marks.add(100, 100)

    marks.add(50, 50)

    assert [marks.before(number) for number in (49, 50, 99, 100)] == [0, 50, 50, 100]


def test_too_many_marks_become_sparse_and_keep_the_origin():
    marks = Marks(0, spacing=1, limit=8)

    for number in range(1, 1001):
        marks.add(number, number)

    assert len(marks) <= 8
    assert marks.before(0) == 0
    assert all(number - marks.before(number) <= marks.spacing for number in range(1, 1001))


def test_last_is_found_by_what_the_values_say():
    marks = Marks((0, 5), spacing=1)
    marks.add(1, (1, 7))
    marks.add(2, (2, 7))
    marks.add(3, (3, 9))

    found = [marks.last(number, key=lambda value: value[1]) for number in (0, 5, 6, 7, 8, 99)]

    assert found == [(0, 5), (0, 5), (0, 5), (2, 7), (2, 7), (3, 9)]
