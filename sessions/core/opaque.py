"""Names of things elsewhere, which Aegis keeps and tells and never opens."""

import re
import unicodedata
from urllib.parse import unquote, urlsplit

from aegis_project.kit.errors import ValidationFailed

LONGEST = 500
DRIVE = re.compile(r"[A-Za-z]:")
SECRET = re.compile(
    r"(?:^|[?&;#,\s])"
    r"(?:[\w.-]*(?:token|secret|passw(?:or)?d|pwd|api[_-]?key|access[_-]?key|signature|credentials?)"
    r"|key|sig|pass|auth)\s*=",
    re.IGNORECASE,
)
# Control characters, invisible ones that turn or join text, lone surrogates, line separators.
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def check(name: str, *, field: str) -> None:
    """
    Go on only with a name that opens nothing by itself, however it is escaped.

    A URL is a name as long as it carries no credentials.

    :raises ValidationFailed: for a path, a URL with credentials, and what nobody can see
    """
    why = _fault(name)
    if why:
        raise ValidationFailed(f"{field} is the name of something, and {why}.", fields=[field])


def _fault(name: str) -> str:
    text = _plain(name)
    if not text.strip():
        return "is empty"
    if len(name) > LONGEST:
        return f"has more than {LONGEST} characters"
    if any(unicodedata.category(one) in UNSEEN for one in name + text):
        return "has control characters"
    if SECRET.search(text):
        return "carries credentials"
    return _fault_of_url(text) if "://" in text else _fault_of_path(text)


def _plain(name: str) -> str:
    """The name without escapes, and with one way to write each character."""
    text = unicodedata.normalize("NFKC", name)
    while (plain := unicodedata.normalize("NFKC", unquote(text))) != text:
        text = plain
    return text


def _fault_of_url(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        return "is no URL either"
    if "@" in parts.netloc:
        return "carries credentials"
    is_path = (
        parts.scheme == "file" or not parts.netloc or "\\" in text or ".." in parts.path.split("/")
    )
    return "is a path" if is_path else ""


def _fault_of_path(text: str) -> str:
    is_path = (
        "/" in text
        or "\\" in text
        or text.startswith("~")
        or not text.strip(". ")
        or DRIVE.match(text)
    )
    return "is a path" if is_path else ""
