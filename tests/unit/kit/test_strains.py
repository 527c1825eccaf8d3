import pytest

from aegis_project.kit.strains import LONGEST_SHAPE, Strain, Tally, shape


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT 1", "SELECT ?"),
        ("SELECT pg_sleep(0.6)", "SELECT pg_sleep(?)"),
        (
            "UPDATE t SET a = 'it''s mine',\n  b = -1.5e3 WHERE c2 = %s",
            "UPDATE t SET a = ?, b = ? WHERE c2 = %s",
        ),
        ("DELETE FROM t WHERE id IN (%s, %s, %s)", "DELETE FROM t WHERE id IN (…)"),
        ("SELECT a FROM t WHERE id IN (1, 2)", "SELECT a FROM t WHERE id IN (…)"),
        ("INSERT INTO t (a) VALUES (%s), (%s), (%s)", "INSERT INTO t (a) VALUES (%s), …"),
        ("INSERT INTO t (a, b) VALUES (%s, 'x'), (%s, 'y')", "INSERT INTO t (a, b) VALUES (…), …"),
        (
            'SELECT DISTINCT "t"."a", b, c, d, e, f FROM "t" WHERE g LIMIT 21',
            "SELECT DISTINCT … FROM t WHERE g LIMIT ?",
        ),
    ],
)
def test_shape_has_no_value_and_is_the_same_for_the_same_question(statement: str, told: str):
    assert shape(statement) == told


def test_shape_is_never_longer_than_a_row_takes():
    said = shape("SELECT a FROM t" + "t" * 1000)

    assert len(said) == LONGEST_SHAPE
    assert said.endswith("t…")


def test_tally_counts_by_key_and_forgets_what_was_taken():
    tally = Tally[str](most=2, rest="others")
    for key, worst in (("a", 3.0), ("a", 9.0), ("b", 1.0)):
        tally.note(key, worst=worst)

    assert tally.take() == {"a": Strain(2, 9.0), "b": Strain(1, 1.0)}
    assert tally.take() == {}


def test_tally_counts_what_is_too_many_as_the_rest():
    tally = Tally[str](most=2, rest="others")
    for key in "abcda":
        tally.note(key, count=2)

    assert tally.take() == {"a": Strain(4), "b": Strain(2), "others": Strain(4)}


def test_what_is_given_back_is_counted_with_what_came_meanwhile():
    tally = Tally[str](most=2, rest="others")
    tally.note("a", worst=5.0)
    taken = tally.take()
    tally.note("a", worst=7.0)

    tally.give_back(taken)

    assert tally.take() == {"a": Strain(2, 7.0)}
