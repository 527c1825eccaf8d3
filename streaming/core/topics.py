"""Names of topics and patterns over them."""

import re
from collections.abc import Iterable

from streaming.core.errors import UnknownTopic

MAX_LENGTH = 255
LEVEL = re.compile(r"[A-Za-z0-9_-]+")
WILDCARDS = frozenset({"*", "**"})


def check(name: str) -> str:
    """
    The name, if it is levels of letters, digits, ``_`` and ``-`` with dots between.

    :raises UnknownTopic: otherwise
    """
    if len(name) > MAX_LENGTH or not all(LEVEL.fullmatch(level) for level in name.split(".")):
        raise UnknownTopic("This is not the name of a topic.", topic=name[:MAX_LENGTH])
    return name


def check_pattern(pattern: str) -> str:
    """
    The pattern, if its levels are names, ``*`` for one level, or a last ``**`` for all the rest.

    :raises UnknownTopic: otherwise
    """
    *levels, last = pattern.split(".")
    plain = [level for level in levels if level != "*"] + ([] if last in WILDCARDS else [last])
    if len(pattern) > MAX_LENGTH or not all(LEVEL.fullmatch(level) for level in plain):
        raise UnknownTopic("This is not a pattern of topics.", topic=pattern[:MAX_LENGTH])
    return pattern


def covers(patterns: Iterable[str], name: str) -> bool:
    """Whether everything that ``name``, a name or a pattern, stands for is in the patterns."""
    return any(_covers(pattern.split("."), name.split(".")) for pattern in patterns)


def _covers(pattern: list[str], name: list[str]) -> bool:
    for place, level in enumerate(pattern):
        if level == "**":
            return len(name) > place
        if place >= len(name) or name[place] == "**" or level not in {"*", name[place]}:
            return False
    return len(pattern) == len(name)
