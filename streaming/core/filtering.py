"""
Filters of records: words that must be in one, and comparisons of its values.

``buy`` or ``"two words"`` must stand in the text, whatever the case; ``-sell`` must not. ``bid > 100``
compares a value, as do ``order.price >= 5``, ``side = buy``, ``side != buy`` and ``id ~ 7f``
(contains). Everything must hold. The tails of the admin mean the same.
"""

import json
import math
import operator
import re
from collections.abc import Callable
from typing import Any

from aegis_project.kit.errors import ValidationFailed

Test = Callable[[str, Any], bool]

TERM = re.compile(
    r"""\s*(?:
        (?P<path>[\w.$-]*[\w.$])\s*(?P<sign>>=|<=|!=|=|>|<|~)\s*(?P<value>"[^"]*"|[^\s"]+)
        | (?P<minus>-?)(?P<word>"[^"]*"|(?![<>=!~])[^\s"]+)
    )""",
    re.VERBOSE | re.ASCII,
)
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
NOTHING = object()


def read(source: str) -> Test:
    """
    What takes the text of a record and its value, and says whether it passes.

    :raises ValidationFailed: for what is not understood, from where on
    """
    tests, end = [], len(source.rstrip())
    place = 0
    while place < end:
        found = TERM.match(source, place)
        if found is None:
            rest = source[place:].strip()
            raise ValidationFailed(
                f"The filter is not understood from “{rest}” on.", field="filter"
            )
        tests.append(_compare(found) if found["path"] else _word(found))
        place = found.end()
    return lambda text, value: all(test(text, value) for test in tests)


def _bare(text: str) -> str:
    return text[1:-1] if text.startswith('"') else text


def _word(found: re.Match[str]) -> Test:
    wanted, is_not = _bare(found["word"]).lower(), bool(found["minus"])
    return lambda text, _value: (wanted in text.lower()) is not is_not


def _compare(found: re.Match[str]) -> Test:
    path, sign, wanted = found["path"].split("."), found["sign"], _bare(found["value"])
    if order := COMPARE.get(sign):
        number = _number(wanted)
        if math.isnan(number):
            raise ValidationFailed(f"“{sign} {wanted}” needs a number.", field="filter")
        return lambda _text, value: order(_number(_at(value, path)), number)
    is_it = _contains if sign == "~" else _same
    is_not = sign == "!="

    def test(_text: str, value: Any) -> bool:
        one = _at(value, path)
        return is_not if one is NOTHING else is_it(one, wanted) is not is_not

    return test


def _contains(one: Any, wanted: str) -> bool:
    return wanted.lower() in _text_of(one).lower()


def _same(one: Any, wanted: str) -> bool:
    is_number = isinstance(one, int | float) and not isinstance(one, bool)
    return _text_of(one) == wanted or (is_number and one == _number(wanted))


def _text_of(one: Any) -> str:
    return one if isinstance(one, str) else json.dumps(one, separators=(",", ":"))


def _number(one: Any) -> float:
    """A number, or the one that a text is; what is neither compares with nothing."""
    if isinstance(one, int | float) and not isinstance(one, bool):
        return float(one)
    is_number = isinstance(one, str) and NUMBER.match(one.strip())
    return float(one) if is_number else math.nan


def _at(value: Any, path: list[str]) -> Any:
    for name in path:
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return NOTHING
    return value
