"""Decoding of untrusted JSON, once and strictly."""

import json
import re
from typing import Any, NoReturn

from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed

MAX_DEPTH = 64
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
BRACKETS = re.compile(r"[\[\]{}]")


def decode(raw: bytes | str, *, max_bytes: int, max_depth: int = MAX_DEPTH) -> Any:
    """
    The JSON value in ``raw``.

    :raises PayloadTooLarge: above ``max_bytes``
    :raises ValidationFailed: for anything but one JSON value without NUL, lone surrogates,
        NaN or infinities, duplicate keys, or nesting deeper than ``max_depth``
    """
    text = _text(raw, max_bytes)
    _check_depth(text, max_depth)
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer
        )
    except ValueError as error:
        raise ValidationFailed("The JSON is malformed.", reason=str(error)[:200]) from None
    _check_strings(value)
    return value


def _text(raw: bytes | str, max_bytes: int) -> str:
    if len(raw) > max_bytes:
        raise PayloadTooLarge(max_bytes=max_bytes)
    if isinstance(raw, str):
        return raw
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ValidationFailed("The text is not UTF-8.") from None


def _check_depth(text: str, max_depth: int) -> None:
    # Before parsing, because the parser itself would fail on the recursion.
    if text.count("[") + text.count("{") <= max_depth:
        return
    depth = 0
    for bracket in BRACKETS.findall(STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > max_depth:
            raise ValidationFailed("The JSON is nested too deeply.", max_depth=max_depth)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValidationFailed("The JSON has a key twice in one object.")
    return found


def _no_constant(word: str) -> NoReturn:
    raise ValidationFailed(f"{word} is not a JSON number.")


def _integer(digits: str) -> int:
    if len(digits) > 32:
        raise ValidationFailed("The JSON has an integer of more than 32 digits.")
    return int(digits)


def _check_strings(value: Any) -> None:
    if isinstance(value, str):
        _check_string(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_string(key)
            _check_strings(item)
    elif isinstance(value, list):
        for item in value:
            _check_strings(item)


def _check_string(text: str) -> None:
    if text.isascii() and "\x00" not in text:
        return
    if "\x00" in text:
        raise ValidationFailed("The JSON has a NUL character.")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValidationFailed("The JSON has a lone surrogate.")
