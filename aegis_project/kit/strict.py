"""Decoding of untrusted JSON, once and strictly."""

import json
import math
from typing import Any, NoReturn

from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed

MAX_DEPTH = 64
# Neither our encoders nor the clients' languages agree on integers beyond 64 bits.
INTEGERS = range(-(2**63), 2**64)
LONGEST_INTEGER = 20


def decode(raw: bytes | str, *, max_bytes: int, max_depth: int = MAX_DEPTH) -> Any:
    """
    The JSON value in ``raw``.

    :raises PayloadTooLarge: above ``max_bytes`` of UTF-8
    :raises ValidationFailed: for anything but one JSON value without NUL, lone surrogates, NaN or
        infinities, numbers that no 64 bits hold, duplicate keys, or nesting beyond ``max_depth``
    """
    text = _text(raw, max_bytes)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise ValidationFailed("The JSON is malformed.", reason=str(error)[:200]) from None
    # Only an escape can write what UTF-8 cannot, and few brackets cannot be deep.
    if "\\u" in text or text.count("[") + text.count("{") > max_depth:
        _check(value, max_depth)
    return value


def _text(raw: bytes | str, max_bytes: int) -> str:
    # No character takes fewer bytes than one, so most need not be encoded to be measured.
    if len(raw) > max_bytes:
        raise PayloadTooLarge(max_bytes=max_bytes)
    try:
        if isinstance(raw, bytes):
            return raw.decode()
        size = len(raw.encode())
    except UnicodeError:
        raise ValidationFailed("The text is not UTF-8.") from None
    if size > max_bytes:
        raise PayloadTooLarge(max_bytes=max_bytes)
    return raw


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValidationFailed("The JSON has a key twice in one object.")
    return found


def _no_constant(word: str) -> NoReturn:
    raise ValidationFailed(f"{word} is not a JSON number.")


def _integer(digits: str) -> int:
    if len(digits) <= LONGEST_INTEGER:
        value = int(digits)
        if value in INTEGERS:
            return value
    raise ValidationFailed("The JSON has an integer beyond 64 bits.")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValidationFailed("The JSON has a number beyond 64 bits.")
    return value


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str):
        _check_string(value)
    elif isinstance(value, dict | list):
        if depth == 0:
            raise _too_deep()
        if isinstance(value, dict):
            for key in value:
                _check_string(key)
        for item in value.values() if isinstance(value, dict) else value:
            _check(item, depth - 1)


def _check_string(text: str) -> None:
    if "\x00" in text:
        raise ValidationFailed("The JSON has a NUL character.")
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValidationFailed("The JSON has a lone surrogate.") from None


def _too_deep() -> ValidationFailed:
    return ValidationFailed("The JSON is nested too deeply.")
