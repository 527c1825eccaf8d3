"""The options of `aegis session`, and what is read from them."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from aegis_project.kit import strict
from components.core.lifecycle import Role
from components.services.registry import Expected
from sessions.core.lifecycle import Environment, Kind, Mode, State
from sessions.dialects.outlook import Dialect
from sessions.management.output import Misused
from streaming.api import codecs

MAX_BYTES = 2 * 1024 * 1024

Reference = Annotated[
    str, typer.Argument(metavar="SESSION", help="Id, key, beginning of the id, or name.")
]
References = Annotated[
    list[str], typer.Argument(metavar="SESSION...", help="Ids, keys, beginnings of ids, or names.")
]
Reason = Annotated[str, typer.Option(help="Why; it stands in the ledger.")]
Wait = Annotated[State | None, typer.Option(help="Wait until the session is in this state.")]
Timeout = Annotated[float, typer.Option(min=0, max=86_400, help="Seconds to wait at most.")]
KindOption = Annotated[Kind | None, typer.Option("--kind", help="What work it is.")]
ModeOption = Annotated[Mode | None, typer.Option("--mode", help="Where time and data come from.")]
EnvironmentOption = Annotated[Environment | None, typer.Option("--env", help="How careful to be.")]
Attached = Annotated[
    list[str],
    typer.Option("--attach", metavar="NAME[:ROLE]", help="A component that is counted on."),
]
Names = Annotated[
    list[str], typer.Argument(metavar="NAME[:ROLE]...", help="Components and their roles.")
]
Value = Annotated[str, typer.Option(metavar="JSON|@FILE", help="A JSON value, or a file of one.")]
DialectOption = Annotated[
    Dialect | None,
    typer.Option(help="Print what a client of this seed would read, whatever else is asked."),
]
States = Annotated[
    str, typer.Option("--state", metavar="STATE,...", help="Only these states, commas between.")
]


class Order(StrEnum):
    """By which time sessions are listed; a minus is the newest first."""

    NEWEST = "-created"
    OLDEST = "created"
    BUSIEST = "-activity"
    IDLEST = "activity"

    @property
    def field(self) -> str:
        """The field of the rows, as a server takes it, too."""
        sign, word = self.value[: -len(self.value.lstrip("-"))], self.value.lstrip("-")
        return sign + {"created": "created_at", "activity": "last_activity_at"}[word]


Sort = Annotated[Order, typer.Option("--sort", help="By which time; a minus: the newest first.")]


def value(text: str, *, option: str) -> Any:
    """
    The JSON value that an option has, or that stands in the file it names with an ``@``.

    :raises Misused: for a file that cannot be read, or a value that cannot be kept
    :raises ValidationFailed: for what is not JSON
    """
    try:
        raw = Path(text[1:]).read_bytes() if text.startswith("@") else text
    except OSError as error:
        raise Misused(f"{option}: {error.strerror}: {text[1:]}") from None
    found = strict.decode(raw, max_bytes=MAX_BYTES)
    try:
        codecs.check_kept(found)
    except ValueError as error:
        raise Misused(f"{option}: {error}.") from None
    return found


def mapping(text: str, *, option: str) -> dict[str, Any]:
    """
    The JSON object that an option has; empty without one.

    :raises Misused: for another value
    """
    found = value(text, option=option) if text else {}
    if not isinstance(found, dict):
        raise Misused(f"{option} takes a JSON object.")
    return found


def assigned(given: Sequence[str], *, option: str) -> dict[str, Any]:
    """
    The values that stand in ``NAME=VALUE`` by their names; what is no JSON is a text.

    :raises Misused: for what is not NAME=VALUE
    """
    return dict(_assignment(one, option) for one in given)


def _assignment(text: str, option: str) -> tuple[str, Any]:
    name, is_one, value = text.partition("=")
    if not is_one or not name:
        raise Misused(f"{option} takes NAME=VALUE.")
    try:
        return name, orjson.loads(value)
    except orjson.JSONDecodeError:
        return name, value


def expected(names: list[str], *, required: bool = True, topics: list[str]) -> list[Expected]:
    """
    The components that ``NAME`` and ``NAME:ROLE`` stand for.

    :raises Misused: for a role that there is not
    """
    return [_expected(name, required=required, topics=topics) for name in names]


def _expected(text: str, *, required: bool, topics: list[str]) -> Expected:
    name, sign, word = text.rpartition(":") if ":" in text else (text, "", "")
    try:
        role = Role(word.lower()) if sign else Role.OBSERVER
    except ValueError:
        words = ", ".join(role.value for role in Role)
        raise Misused(f"{word} is no role; there are {words}.") from None
    return Expected(name=name, role=role, required=required, topics=tuple(topics))


def states(text: str) -> list[State]:
    """
    The states in a list with commas between.

    :raises Misused: for a word that is none
    """
    try:
        return [State(word.strip().lower()) for word in text.split(",") if word.strip()]
    except ValueError:
        words = ", ".join(state.value for state in State)
        raise Misused(f"--state takes {words}.") from None
