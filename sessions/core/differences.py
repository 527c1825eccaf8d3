"""What differs between two JSON values."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Difference(NamedTuple):
    """
    One place at which two values differ, as a JSON pointer (RFC 6901).

    ``kind`` is added, removed or changed; ``before`` and ``after`` are None where nothing was.
    """

    path: str
    kind: str
    before: Any
    after: Any


def between(before: Any, after: Any, *, path: str = "") -> Iterator[Difference]:
    """The places at which two JSON values differ, in the order of the names of their members."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from _member(before, after, name, f"{path}/{_escaped(name)}")
    elif isinstance(before, list) and isinstance(after, list):
        first, second = (dict(enumerate(one)) for one in (before, after))
        for index in range(max(len(before), len(after))):
            yield from _member(first, second, index, f"{path}/{index}")
    elif type(before) is not type(after) or before != after:
        yield Difference(path, "changed", before, after)


def _member(before: Any, after: Any, name: Any, path: str) -> Iterator[Difference]:
    if name not in before:
        yield Difference(path, "added", None, after[name])
    elif name not in after:
        yield Difference(path, "removed", before[name], None)
    else:
        yield from between(before[name], after[name], path=path)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
