"""Topic names, the patterns that stand for many of them, and which may be published."""

import re
from collections.abc import Iterable

from streaming.core.errors import TopicForbidden, UnknownTopic

MAX_LENGTH = 200
LEVEL = r"[A-Za-z0-9_][A-Za-z0-9_:@~+=-]*"
NAME = re.compile(rf"{LEVEL}(?:\.{LEVEL})*\Z")
PATTERN = re.compile(rf"(?:(?:{LEVEL}|\*)\.)*(?:{LEVEL}|\*\*?)\Z")

LEDGER = "ledger"
ROWS = frozenset({"ledger", "runs"})
RESERVED = frozenset({"ledger", "runs", "logs", "dlq"})


def check(name: str) -> str:
    """
    Give the name back if it is one: levels joined by dots, at most 200 characters.

    :raises UnknownTopic: otherwise
    """
    if len(name) > MAX_LENGTH or not NAME.match(name):
        raise UnknownTopic(topic=name[:MAX_LENGTH])
    return name


def check_pattern(pattern: str) -> str:
    """
    Give a name or pattern back if it is one: ``*`` is any one level, a last ``**`` one or more.

    :raises UnknownTopic: otherwise
    """
    if len(pattern) > MAX_LENGTH or not PATTERN.match(pattern):
        raise UnknownTopic(topic=pattern[:MAX_LENGTH])
    return pattern


def is_pattern(name: str) -> bool:
    """Whether a checked name stands for many topics."""
    return "*" in name


def is_reserved(name: str) -> bool:
    """Whether Aegis alone writes this topic: ``ledger``, ``runs.*``, ``logs.*``, ``dlq.*``."""
    return name.split(".", 1)[0] in RESERVED


def is_row(name: str) -> bool:
    """Whether the log of this topic is rows of the database: the ledger and the runs."""
    return name.split(".", 1)[0] in ROWS


def check_publishable(name: str, patterns: Iterable[str]) -> str:
    """
    Give the name back if a component whose token has ``patterns`` may publish it.

    :raises UnknownTopic: when it is malformed or outside the patterns
    :raises TopicForbidden: when it is reserved
    """
    if is_reserved(check(name)):
        raise TopicForbidden(topic=name)
    if not covers(patterns, name):
        raise UnknownTopic(topic=name)
    return name


def matches(pattern: str, name: str) -> bool:
    """
    Whether a subscription to ``pattern`` includes the topic ``name``.

    A pattern that begins with a wildcard leaves the reserved topics out: nobody who asks for
    everything means the ledger.
    """
    if pattern.startswith("*") and is_reserved(name):
        return False
    return _covers(pattern.split("."), name.split("."))


def covers(patterns: Iterable[str], wanted: str) -> bool:
    """Whether everything that ``wanted``, a name or a pattern, stands for lies in ``patterns``."""
    levels = wanted.split(".")
    return any(_covers(pattern.split("."), levels) for pattern in patterns)


def _covers(pattern: list[str], levels: list[str]) -> bool:
    for place, level in enumerate(pattern):
        if level == "**":
            return len(levels) > place
        if place >= len(levels) or not _includes(level, levels[place]):
            return False
    return len(levels) == len(pattern)


def _includes(level: str, other: str) -> bool:
    return level == other or (level == "*" and other != "**")
