"""What a program may be: its command, environment, folder and limits."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aegis_project.kit.errors import ValidationFailed
from components.core.launching import Restart

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
OURS = "AEGIS_"
MOST_WORDS, LONGEST_WORD = 100, 4096
# Field, least and most, in the unit of its name.
BOUNDS: dict[str, tuple[float, float]] = {
    "restart_limit": (0, 1000),
    "backoff_seconds": (0.05, 3600),
    "backoff_most_seconds": (0.05, 86_400),
    "settled_seconds": (0, 86_400),
    "stop_grace_seconds": (0, 300),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """
    What an administrator may say of a program.

    ``argv`` is the command, never read by a shell; ``environment`` is all that it gets beside a
    few harmless variables; an empty ``directory`` is the checkout. ``team`` may use it, without
    one every team.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""
    restart: Restart = Restart.ON_FAILURE
    restart_limit: int = 5
    backoff_seconds: float = 1.0
    backoff_most_seconds: float = 60.0
    settled_seconds: float = 60.0
    stop_grace_seconds: float = 10.0


def check(values: Mapping[str, Any]) -> None:
    """
    Go on only if these fields of a :class:`Draft`, all or some, can be.

    :raises ValidationFailed: naming the field
    """
    for name, value in values.items():
        if name in CHECKS:
            CHECKS[name](value)
        elif name in BOUNDS:
            _check_number(name, value)


def _check_name(value: str) -> None:
    _require(NAME.match(value), "name", "A name has 1 to 100 letters, digits, dots, dashes and _.")


def _check_argv(value: Sequence[str]) -> None:
    _require(0 < len(value) <= MOST_WORDS, "argv", f"argv has 1 to {MOST_WORDS} words.")
    _require(value[0], "argv", "The first word of argv is the program.")
    for word in value:
        _check_word("argv", word)


def _check_environment(value: Mapping[str, str]) -> None:
    _require(len(value) <= MOST_WORDS, "environment", f"At most {MOST_WORDS} variables.")
    for name, text in value.items():
        _require(VARIABLE.match(name), "environment", f"{name[:100]} is no name of a variable.")
        is_ours = name.upper().startswith(OURS)
        _require(not is_ours, "environment", f"Variables that begin with {OURS} are Aegis' own.")
        _check_word("environment", text)


def _check_directory(value: str) -> None:
    is_absolute = not value or value.startswith("/")
    _require(is_absolute, "directory", "The directory is an absolute path, or none.")
    _check_word("directory", value)


def _check_word(name: str, value: str) -> None:
    is_sound = len(value) <= LONGEST_WORD and "\x00" not in value
    _require(is_sound, name, f"A text has at most {LONGEST_WORD} characters and no NUL.")


def _check_number(name: str, value: float) -> None:
    least, most = BOUNDS[name]
    _require(least <= value <= most, name, f"{name} is from {least:g} to {most:g}.")


def _require(holds: object, name: str, message: str) -> None:
    if not holds:
        raise ValidationFailed(message, field=name)


CHECKS: dict[str, Callable[[Any], None]] = {
    "name": _check_name,
    "argv": _check_argv,
    "environment": _check_environment,
    "directory": _check_directory,
}
