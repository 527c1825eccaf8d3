"""How long a regular expression may take, found from its form."""

import re
from re import _constants as words  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MAX_LENGTH = 500
LONGEST_TEXT = 256
"""Only texts up to this length are compared with a pattern."""
MOST_STEPS = 2**25

REPEATS = frozenset({words.MAX_REPEAT, words.MIN_REPEAT, words.POSSESSIVE_REPEAT})
# What looks elsewhere than at the next character, or at many ways to go on.
REFUSED = frozenset(
    {words.ASSERT, words.ASSERT_NOT, words.GROUPREF, words.GROUPREF_EXISTS, words.ATOMIC_GROUP}
)


def fault(pattern: str) -> str | None:
    """
    Say why a pattern is not taken, in words; None when it is.

    Taken are those that need at most about 2^25 steps on a text of 256 characters, whatever the
    text: nothing repeated that repeats or chooses (what may be left out does
    neither), no looking around.
    """
    if len(pattern) > MAX_LENGTH:
        return f"a pattern has at most {MAX_LENGTH} characters"
    try:
        tree = list(parser.parse(pattern))
        steps = _steps(tree, is_repeated=False)
    except (re.error, OverflowError, RecursionError):
        return "this is no regular expression"
    except _Refused as refusal:
        return str(refusal)
    is_anchored = bool(tree) and tree[0] == (words.AT, words.AT_BEGINNING)
    steps *= 1 if is_anchored else LONGEST_TEXT
    return "this pattern may take too long" if steps > MOST_STEPS else None


class _Refused(Exception):
    """The pattern has a part that is not taken."""


def _steps(tree: Any, *, is_repeated: bool) -> int:
    steps = 1
    for kind, value in tree:
        if kind in REFUSED:
            raise _Refused("a pattern looks neither around nor back")
        if kind in REPEATS:
            steps *= _steps_of_repeat(value, is_repeated=is_repeated)
        elif kind is words.BRANCH:
            steps *= _steps_of_choice(value[1], is_repeated=is_repeated)
        elif kind is words.SUBPATTERN:
            steps *= _steps(value[-1], is_repeated=is_repeated)
    return steps


def _steps_of_repeat(value: Any, *, is_repeated: bool) -> int:
    least, most, tree = int(value[0]), min(int(value[1]), LONGEST_TEXT), value[2]
    if most <= 1:
        return 1 + _steps(tree, is_repeated=is_repeated)
    if least == most:
        return min(int(_steps(tree, is_repeated=is_repeated) ** most), MOST_STEPS + 1)
    if is_repeated:
        raise _Refused("a pattern repeats nothing that repeats")
    _steps(tree, is_repeated=True)
    return max(1, most - least + 1)


def _steps_of_choice(branches: Any, *, is_repeated: bool) -> int:
    if is_repeated:
        raise _Refused("a pattern repeats no choice")
    return sum(_steps(branch, is_repeated=False) for branch in branches)
