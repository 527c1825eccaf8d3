"""What a server of the Model Context Protocol that agents may use can be."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aegis_project.kit.errors import ValidationFailed
from sessions.core import catalogue

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
LONGEST_WORD, MOST_WORDS, MOST_NAMES = 1000, 64, 32
LONGEST_SECRET = 4096


@dataclass(frozen=True, slots=True)
class ToolServerDraft:
    """
    A server at a ``url``, or one that workers start from a ``command``.

    ``secret`` are the headers that it is asked with, or the environment of its command.
    """

    slug: str
    url: str = ""
    command: Sequence[str] = ()
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_active: bool = True


def check(values: Mapping[str, Any]) -> None:
    """
    Go on only with fields that a tool server can have.

    :raises ValidationFailed: naming the first that cannot be
    """
    for name in values.keys() & CHECKS.keys():
        CHECKS[name](values[name])


def check_way(*, url: str, command: Sequence[str]) -> None:
    """
    Go on only where it is said in one way how the server is reached.

    :raises ValidationFailed: otherwise
    """
    _require(bool(url) is not bool(command), "url", "A tool server has a url or a command.")


def _check_slug(value: str) -> None:
    is_sound = SLUG.fullmatch(value)
    _require(is_sound, "slug", "A slug has 1 to 50 small letters, digits, dashes and _.")


def _check_url(value: str) -> None:
    catalogue.check_address(value, field="url")


def _check_command(value: Sequence[str]) -> None:
    is_sound = all(0 < len(word) <= LONGEST_WORD and "\x00" not in word for word in value)
    _require(
        is_sound and len(value) <= MOST_WORDS,
        "command",
        f"A command has at most {MOST_WORDS} words of 1 to {LONGEST_WORD} characters.",
    )


def _check_secret(value: Mapping[str, str]) -> None:
    is_sound = all(map(NAME.fullmatch, value)) and all(map(_can_be_sent, value.values()))
    _require(
        is_sound and len(value) <= MOST_NAMES,
        "secret",
        f"A secret has at most {MOST_NAMES} names of letters, digits, dashes and _, each with at "
        f"most {LONGEST_SECRET} printable characters of ASCII.",
    )


def _can_be_sent(text: str) -> bool:
    return len(text) <= LONGEST_SECRET and text.isascii() and (not text or text.isprintable())


def _require(holds: object, name: str, message: str) -> None:
    if not holds:
        raise ValidationFailed(message, field=name)


CHECKS: dict[str, Callable[[Any], None]] = {
    "slug": _check_slug,
    "url": _check_url,
    "command": _check_command,
    "secret": _check_secret,
}
