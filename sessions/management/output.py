"""How the command line says things: data on standard output, everything else beside it."""

import contextlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import typer
from django.utils import timezone
from typer._click.globals import get_current_context

from aegis_project.kit.errors import AegisError

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHORT_ID = 8
WIDE = 10_000
SHAPES = {
    "created": "○",
    "pending": "○",
    "registered": "◌",
    "ready": "◎",
    "running": "▶",
    "paused": "‖",
    "stopped": "■",
    "completed": "✓",
    "ended": "×",
    "failed": "!",
    "lost": "!",
}
PLAIN_SHAPES = dict.fromkeys(SHAPES, "-") | {"running": ">", "failed": "!", "lost": "!"}

# What a shape and its word say already, for whoever sees colours.
COLOURS = {"running": "green", "paused": "yellow", "failed": "red", "lost": "red"}


@dataclass(frozen=True, slots=True)
class How:
    """In which form somebody wants the data: a document, ids alone, or a table."""

    is_json: bool = False
    is_quiet: bool = False

    @property
    def is_table(self) -> bool:
        """Whether it is a table with its own columns, for people."""
        return not (self.is_json or self.is_quiet or _only.get())


def say(sentence: str = "") -> None:
    """Tell the person something that is not data."""
    typer.echo(sentence, err=True)


def is_terminal() -> bool:
    """Whether a person looks at standard output."""
    return sys.stdout.isatty()


class Misused(AegisError):
    """The command cannot be meant like this."""

    code = "USAGE"
    status = 400


_only: ContextVar[tuple[str, ...]] = ContextVar("only", default=())
_wide: ContextVar[bool] = ContextVar("wide", default=False)
_brief: ContextVar[bool] = ContextVar("brief", default=True)


@contextlib.contextmanager
def only(names: str, *, is_wide: bool = False, is_brief: bool = True) -> Iterator[None]:
    """
    Show only these fields of documents meanwhile, commas between; all without a name.

    What is wide is not cut on a terminal, however long its lines become. Ids are brief there only
    where every command takes them so.
    """
    token = _only.set(tuple(name.strip() for name in names.split(",") if name.strip()))
    width, brevity = _wide.set(is_wide), _brief.set(is_brief)
    try:
        yield
    finally:
        _only.reset(token)
        _wide.reset(width)
        _brief.reset(brevity)


def picked(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    The fields of a document that are to be shown, in the order in which they were named.

    :raises Misused: for one that it does not have
    """
    names = _only.get()
    missing = [name for name in names if name not in one]
    if missing:
        raise Misused(f"There is no {', '.join(missing)}; there are {', '.join(one)}.")
    return {name: one[name] for name in names} if names else one


def document(name: str, data: Any, **meta: Any) -> None:
    """One JSON document, the only thing on standard output."""
    if _only.get():
        data = [picked(one) for one in data] if isinstance(data, list) else picked(data)
    typer.echo(dump({"schema": f"aegis.{name}/1", "data": data, "meta": meta}))


def line(value: Any) -> None:
    """One JSON value of a stream of them, at once."""
    typer.echo(dump(value))
    sys.stdout.flush()


def dump(value: Any) -> str:
    """JSON text with times in UTC."""
    return orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z).decode()


def plain(text: str) -> None:
    """One line of data."""
    typer.echo(text)


def show(
    how: How,
    name: str,
    *,
    data: Callable[[], Sequence[Mapping[str, Any]]],
    ids: Sequence[str],
    table: Callable[[], Mapping[str, Sequence[str]]],
    **meta: Any,
) -> None:
    """A list in the form that was asked for; a table has a sequence of cells per heading."""
    if how.is_json:
        document(name, data(), count=len(ids), **meta)
    elif how.is_quiet:
        for one in ids:
            plain(one)
    elif _only.get():
        tabulate(_columns(data()))
    else:
        tabulate(table())


def _columns(data: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    rows = [picked(one) for one in data]
    return {name.upper(): [_cell(row[name]) for row in rows] for name in _only.get()}


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else dump(value)


def show_one(
    how: How, name: str, data: Mapping[str, Any], *, identity: str, sentence: str, **meta: Any
) -> None:
    """One thing in the form that was asked for; its sentence is for people."""
    if how.is_json:
        document(name, data, **meta)
    elif how.is_quiet:
        plain(identity)
    elif _only.get():
        tabulate(_columns([data]))
    else:
        plain(sentence)


def tabulate(columns: Mapping[str, Sequence[str]]) -> None:
    """A table; as wide as it must be where nobody looks, without escape codes there."""
    from rich.console import Console  # noqa: PLC0415 -- slow import

    table = drawn(columns)
    if is_terminal():
        width = WIDE if _wide.get() else None
        no_color = True if _wants("no_color") else None
        Console(no_color=no_color, width=width, soft_wrap=_wide.get()).print(table)
        return
    color: Any = "standard" if _wants("force_color") else None
    console = Console(width=WIDE, color_system=color, force_terminal=color is not None)
    with console.capture() as captured:
        console.print(table)
    lines = (one.rstrip() for one in captured.get().splitlines())
    typer.echo("\n".join(lines), color=color is not None)


def drawn(columns: Mapping[str, Sequence[str]]) -> Any:
    """A table that rich can print."""
    from rich.table import Table  # noqa: PLC0415 -- slow import

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in columns:
        table.add_column(heading, no_wrap=True)
    for row in zip(*columns.values(), strict=True):
        table.add_row(*(_literal(_shortened(cell)) for cell in row))
    return table


def _wants(option: str) -> bool:
    """Whether an option of every Django command was given."""
    context: Any = get_current_context(silent=True)
    while context is not None and not context.params.get(option):
        context = context.parent
    return context is not None


def state(word: str) -> str:
    """A state with its shape, which says the same."""
    can_draw = (sys.stdout.encoding or "").lower().startswith("utf")
    return f"{(SHAPES if can_draw else PLAIN_SHAPES).get(word, '?')} {word}"


def age(at: datetime | None, *, now: datetime | None = None) -> str:
    """How long ago, in one unit."""
    if at is None:
        return "–"
    seconds = max(0.0, ((now or timezone.now()) - at).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def clock(at: datetime) -> str:
    """A moment for people: local with its zone on a terminal, else UTC."""
    if is_terminal():
        return at.astimezone().strftime("%H:%M:%S %Z")
    return at.isoformat()


def moment(at: datetime) -> str:
    """A day and a minute for people: local with their zone on a terminal, else UTC."""
    return f"{at.astimezone(None if is_terminal() else UTC):%Y-%m-%d %H:%M %Z}"


def _shortened(cell: str) -> str:
    """An id by its beginning, which every command takes; whole where nobody looks."""
    is_short = is_terminal() and _brief.get() and not _wide.get() and ID.fullmatch(cell)
    return cell[:SHORT_ID] if is_short else cell


def _literal(cell: str) -> Any:
    from rich.text import Text  # noqa: PLC0415 -- slow import

    shape, _, word = cell.partition(" ")
    is_state = shape in {SHAPES.get(word), PLAIN_SHAPES.get(word)}
    # What came from outside may neither be markup nor move the cursor.
    text = "".join(char if char.isprintable() else "�" for char in cell)
    return Text(text, style=COLOURS.get(word, "") if is_state else "")


def readable(text: str) -> str:
    """What came from outside, which may not move the cursor but to the next line."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "�" for sign in text)
