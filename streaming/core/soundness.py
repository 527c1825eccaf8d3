"""What a fast JSON parser lets pass and a strict one does not, found without decoding."""

import re

from aegis_project.kit import strict
from aegis_project.kit.errors import ValidationFailed

STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
NUL = re.compile(rb"(?<!\\)(?:\\\\)*+\\u0000")
DIGITS = bytes.maketrans(b"123456789E", b"000000000e")
LONG, HIGH = b"0" * 20, b"0e000"
"""How, all digits being zeros and no sign written, a number of 20 digits and 1e100 look."""
BRACKETS = bytes.maketrans(b"{}", b"[]")
ALL_BUT = bytes(set(range(256)) - set(b'[]{}"'))


def check(raw: bytes, *, max_bytes: int) -> None:
    """
    Check in JSON that was parsed but not looked into what the parser lets pass.

    :raises ValidationFailed: for a NUL character, a number that no 64 bits hold, or nesting deeper
        than 64
    """
    if b"\\u0000" in raw and NUL.search(raw):
        raise ValidationFailed("The JSON has a NUL character.")
    if raw.count(b"[") + raw.count(b"{") > strict.MAX_DEPTH and _is_too_deep(raw):
        raise ValidationFailed("The JSON is nested too deeply.", max_depth=strict.MAX_DEPTH)
    digits = raw.translate(DIGITS, b"+")
    if LONG in digits or HIGH in digits:
        # Perhaps a number that some client cannot read, perhaps only text that looks like one.
        strict.decode(raw, max_bytes=max_bytes)


def _is_too_deep(raw: bytes) -> bool:
    # Only brackets and quotes are left. A string without brackets is then two quotes in a row; if
    # any quote remains, or an escape might have hidden one, the strings are cut out properly.
    left = raw.translate(BRACKETS, ALL_BUT).replace(b'""', b"")
    if b'"' in left or b"\\" in raw:
        left = STRINGS.sub(b"", raw).translate(BRACKETS, ALL_BUT)
    for _ in range(strict.MAX_DEPTH):
        if not left:
            return False
        # Takes away the innermost level, and only that.
        left = left.replace(b"[]", b"")
    return bool(left)
