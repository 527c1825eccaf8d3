import pytest

from streaming.core import patterns


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "BTC",
        "^[A-Z]{3,10}$",
        r"^\d+(\.\d+)?$",
        "^(BTC|ETH)(USDT|USDC)?$",
        "^[A-Z]+-[A-Z]+$",
        "(ab?){3}",
        "[a-z]+?x",
        ".*.*",
        "a{2,}",
    ],
)
def test_pattern_that_is_quick_on_any_text_is_taken(pattern):
    assert patterns.fault(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("x" * 501, "a pattern has at most 500 characters"),
        ("(", "this is no regular expression"),
        ("a{99999999999999999999}", "this is no regular expression"),
        ("(a+)+$", "a pattern repeats nothing that repeats"),
        ("(a{2,3}b)*", "a pattern repeats nothing that repeats"),
        ("(ab|cd)+", "a pattern repeats no choice"),
        ("(?=a)", "a pattern looks neither around nor back"),
        (r"(a)\1", "a pattern looks neither around nor back"),
        ("a*a*a*b", "this pattern may take too long"),
        ("(a?){200}", "this pattern may take too long"),
    ],
)
def test_pattern_that_may_take_long_is_not(pattern, reason):
    assert patterns.fault(pattern) == reason
