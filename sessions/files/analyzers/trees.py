"""The analyzers of JSON, NDJSON, YAML: trees of values, and the table in them if there is one."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed
from sessions.files.analyzers import columns
from sessions.files.analyzers.base import LONGEST, Found, Table, short

MAX_DEPTH = 256
MAX_YAML = 1024 * 1024
MAX_ALIASES = 50
MOST_NAMED = 100
MOST_NAMES = 1000
FLATTENED = 3
"""How deep the objects in a row may be that become columns."""
TOO_DEEP = "It is nested too deeply."
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def json_(text: str) -> Found:
    """
    A JSON value: its shape, and the rows of the largest list of objects in it.

    :raises ValidationFailed: for what is none
    """
    found = Found("data", "json", "application/json", text=text)
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValidationFailed(TOO_DEEP) from None
    except ValueError as error:
        raise ValidationFailed(f"The JSON is malformed: {error}.") from None
    return _filled(found, value)


def ndjson(text: str) -> Found:
    """
    JSON values, one a line; lines that are none are counted.

    :raises ValidationFailed: if none is one
    """
    found = Found("data", "ndjson", "application/x-ndjson", text=text)
    broken: list[int] = []
    values = list(_values(text, broken))
    if not values:
        raise ValidationFailed("No line is a JSON value.")
    _filled(found, values)
    found.data["broken_lines"] = len(broken)
    return found


def _values(text: str, broken: list[int]) -> Iterator[Any]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except (ValueError, RecursionError):
            broken.append(number)


def yaml_(text: str) -> Found:
    """
    A YAML document, without tags of anybody's own.

    :raises PayloadTooLarge: above 1 MiB, or with more aliases than a person writes
    :raises ValidationFailed: for what is none
    """
    if len(text) > MAX_YAML:
        raise PayloadTooLarge("A YAML document of more than 1 MiB is not read.", max_bytes=MAX_YAML)
    try:
        _check(text)
        values = list(yaml.load_all(text, Loader=Loader))
    except RecursionError:
        raise ValidationFailed(TOO_DEEP) from None
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise ValidationFailed(f"The YAML is malformed: {short(error)}.") from None
    found = Found("data", "yaml", "application/yaml", text=text)
    _filled(found, values[0] if len(values) == 1 else values)
    found.data["documents"] = len(values)
    return found


def _check(text: str) -> None:
    """Go on only with what stays small: an alias of an alias of a list grows without a bound."""
    aliases = depth = 0
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.AliasEvent):
            aliases += 1
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if aliases > MAX_ALIASES:
            raise PayloadTooLarge("It has too many aliases.", most=MAX_ALIASES)
        if depth > MAX_DEPTH:
            raise ValidationFailed(TOO_DEEP)


def _filled(found: Found, value: Any) -> Found:
    found.data.update(shape(value))
    path, rows = _largest(value)
    if rows:
        found.table, figures = _table(rows)
        found.data |= {"table": path, **figures}
    return found


def shape(value: Any) -> dict[str, Any]:
    """What a value is made of: its type, members, depth and how many values there are of a type."""
    counts: dict[str, int] = {}
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        following: list[Any] = []
        for one in level:
            name = _name(one)
            counts[name] = counts.get(name, 0) + 1
            following.extend(_members(one))
        if sum(counts.values()) > columns.MOST_CELLS:
            raise PayloadTooLarge("It has too many values.", most=columns.MOST_CELLS)
        level, depth = following, depth + bool(following)
    found: dict[str, Any] = {"type": _name(value), "depth": depth, "values": counts}
    if isinstance(value, dict):
        found["keys"] = [short(key) for key in list(value)[:MOST_NAMED]]
    if isinstance(value, dict | list):
        found["length"] = len(value)
    return found


def _members(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()


def _name(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "integer", float: "number", str: "text"}
    return names.get(type(value), "list" if isinstance(value, list) else "object")


def _largest(value: Any) -> tuple[str, list[dict[str, Any]]]:
    """The longest list of objects at the top or in a member of it, and what it is called."""
    lists = (
        {"": value} if isinstance(value, list) else dict(value) if isinstance(value, dict) else {}
    )
    best: tuple[str, list[dict[str, Any]]] = ("", [])
    for name, one in lists.items():
        if (
            isinstance(one, list)
            and len(one) > len(best[1])
            and all(isinstance(x, dict) for x in one)
        ):
            best = (str(name)[:LONGEST], one)
    return best


def _table(rows: list[dict[str, Any]]) -> tuple[Table, dict[str, Any]]:
    flat = [dict(_flat(row)) for row in rows]
    names: dict[str, None] = {}
    for row in flat:
        if len(names) < MOST_NAMES:
            names.update(dict.fromkeys(row))
    return columns.read(list(names), ([row.get(name) for name in names] for row in flat))


def _flat(row: dict[str, Any], before: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        path = f"{before}{name}"
        if isinstance(value, dict) and value and depth < FLATTENED:
            yield from _flat(value, f"{path}.", depth + 1)
        else:
            yield path, value
