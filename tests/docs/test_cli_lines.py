"""Each line of the command line that a page, a document or a help shows is one that exists."""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CODE = re.compile(
    r"```(?:sh|text|console)?\n(.*?)```|`((?:\./|manage\.py )?aegis [^`]+)`", re.DOTALL
)
LINE = re.compile(r"(?:^|[\s`'\"(>])(?:\./|manage\.py )?aegis ([a-z][^\n`<;]*)", re.MULTILINE)
STRING = re.compile(r'"aegis ([a-z][^"]*)')
# What a template puts in.
FILLED = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
# What a line says to people beside it.
ASIDE = re.compile(r" +[#(]")
# The launcher does that by itself.
OF_THE_LAUNCHER = {"test"}


def commands() -> Any:
    """All of them, as the program has them."""
    import typer  # noqa: PLC0415 -- slow import

    from sessions.management.commands.aegis import Command  # noqa: PLC0415 -- app ready

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return typer.main.get_command(Command.typer_app)


def lines() -> Iterator[tuple[str, str]]:
    """Where a line is shown, and the line after its first word."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for block, inline in CODE.findall(path.read_text(encoding="utf-8")):
            yield from ((path.name, line) for line in LINE.findall(block or inline))
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = FILLED.sub("X", path.read_text(encoding="utf-8"))
        yield from ((path.name, line) for line in LINE.findall(text))
    for package in ("aegis_project", "components", "sessions", "streaming"):
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            yield from ((path.name, line) for line in STRING.findall(text))


def wrong(root: Any, line: str) -> str:
    """What of a line does not exist, or nothing."""
    first, *rest = ASIDE.split(line)[0].split()
    if first in OF_THE_LAUNCHER:
        return ""
    found = [root.commands.get(first)]
    if found[0] is None:
        return first
    if rest and not rest[0].startswith("-") and hasattr(found[0], "commands"):
        # Documents say verbs that go together in one line.
        found = [found[0].commands.get(verb) for verb in rest[0].split("|")]
        if None in found:
            return f"{first} {rest[0]}"
    known = {
        name for one in found for each in one.params for name in (*each.opts, *each.secondary_opts)
    }
    return ", ".join(
        word for word in rest if re.fullmatch(r"--[a-z-]+", word) and word not in known
    )


def test_each_line_that_is_shown_exists():
    root, shown = commands(), sorted(set(lines()))

    assert len(shown) > 300
    assert [(where, line, bad) for where, line in shown if (bad := wrong(root, line))] == []


def test_a_line_that_does_not_exist_is_seen():
    root = commands()

    assert wrong(root, "role grant olga viewer") == "role grant"
    assert wrong(root, "session start|leap") == "session start|leap"
    assert wrong(root, "run --fast") == "--fast"
    assert wrong(root, "session pause desk-7 --reason 'a look' --wait paused") == ""
