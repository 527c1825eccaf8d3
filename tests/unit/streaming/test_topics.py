import pytest

from streaming.core import topics
from streaming.core.errors import TopicForbidden, UnknownTopic


@pytest.mark.parametrize(
    "name", ["a", "klines.BTCUSDT.1m", "_x.y-1", "a" * 200, "orders.a:b@c~d+e"]
)
def test_name_of_plain_levels_is_accepted(name):
    assert topics.check(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "a.", ".a", "a..b", "a b", "a/b", "-a", "é", "a.*", "**", "a" * 201, "a\n"]
)
def test_malformed_name_is_an_unknown_topic(name):
    with pytest.raises(UnknownTopic):
        topics.check(name)


@pytest.mark.parametrize("pattern", ["a", "*", "**", "a.*", "*.b", "a.*.c", "a.**", "*.**"])
def test_wildcards_stand_for_whole_levels(pattern):
    assert topics.check_pattern(pattern) == pattern


@pytest.mark.parametrize("pattern", ["", "***", "a*", "**.a", "a.**.b", "*.", "a" * 201])
def test_malformed_pattern_is_an_unknown_topic(pattern):
    with pytest.raises(UnknownTopic):
        topics.check_pattern(pattern)


def test_only_names_with_a_wildcard_are_patterns():
    assert [topics.is_pattern(name) for name in ("a.b", "a.*", "**")] == [False, True, True]


@pytest.mark.parametrize(
    ("name", "is_reserved", "is_row"),
    [
        ("ledger", True, True),
        ("runs.1", True, True),
        ("logs.comp", True, False),
        ("dlq.klines", True, False),
        ("ledgers", False, False),
        ("a.ledger", False, False),
    ],
)
def test_reserved_topics_are_told_by_their_first_level(name, is_reserved, is_row):
    assert (topics.is_reserved(name), topics.is_row(name)) == (is_reserved, is_row)


@pytest.mark.parametrize(
    ("pattern", "name", "is_match"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
        ("a.b", "a", False),
        ("a", "a.b", False),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("a.*", "a", False),
        ("*.b", "a.b", True),
        ("a.**", "a.b", True),
        ("a.**", "a.b.c", True),
        ("a.**", "a", False),
        ("**", "a.b.c", True),
        ("*.x", "runs.x", False),
        ("**", "ledger", False),
        ("runs.*", "runs.x", True),
        ("ledger", "ledger", True),
    ],
)
def test_pattern_matches_level_by_level_and_not_the_reserved_by_a_wildcard(pattern, name, is_match):
    assert topics.matches(pattern, name) is is_match


@pytest.mark.parametrize(
    ("patterns", "wanted", "is_covered"),
    [
        (("**",), "ledger", True),
        (("**",), "a.**", True),
        (("a.*",), "a.*", True),
        (("a.*",), "a.**", False),
        (("a.**",), "a.*.c", True),
        (("a.b",), "a.*", False),
        (("x", "a.*"), "a.b", True),
        ((), "a", False),
    ],
)
def test_patterns_cover_what_lies_wholly_inside_one_of_them(patterns, wanted, is_covered):
    assert topics.covers(patterns, wanted) is is_covered


def test_topic_inside_the_patterns_may_be_published():
    assert topics.check_publishable("orders.a", ("orders.*",)) == "orders.a"


def test_reserved_topic_may_not_be_published():
    with pytest.raises(TopicForbidden):
        topics.check_publishable("logs.a", ("**",))


@pytest.mark.parametrize("name", ["trades.a", "a..b"])
def test_topic_outside_the_patterns_is_unknown_to_its_publisher(name):
    with pytest.raises(UnknownTopic):
        topics.check_publishable(name, ("orders.*",))
