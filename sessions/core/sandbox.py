"""The names of files in a session's sandbox."""

import re
import unicodedata

from aegis_project.kit.errors import ValidationFailed

LONGEST = 255
# Neither what some system takes for something else, nor what nobody sees.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\<>:"|?*]')


def name(text: str) -> str:
    """
    The name of a file: parts with slashes between, each of which is one.

    :raises ValidationFailed: for one that leads out of the sandbox, or that some system cannot have
    """
    found = unicodedata.normalize("NFC", text)
    if not found or len(found) > LONGEST or _FORBIDDEN.search(found) or not _is_text(found):
        raise _refused()
    if not all(map(_is_part, found.split("/"))):
        raise _refused()
    return found


def _is_part(part: str) -> bool:
    # What ends with a dot is another name on some systems, and leads up on all when it is two.
    return bool(part) and part == part.strip() and not part.endswith(".")


def _is_text(text: str) -> bool:
    return all(unicodedata.category(sign) not in {"Cs", "Cf", "Zl", "Zp"} for sign in text)


def _refused() -> ValidationFailed:
    return ValidationFailed(
        f"A file is named by parts with slashes between, {LONGEST} characters at most.",
        fields=["name"],
    )
