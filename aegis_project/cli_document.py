"""The reference of the command line, drawn from its commands."""

import re
import warnings
from collections.abc import Iterator
from typing import Any

HEAD = """\
Every command with its arguments and options. What most have (`--json`, `--quiet`, `--fields`, `--wide`,
`--as`, `--server`, `--token`) is told once in [cli.md](cli.md).
"""
SHARED = frozenset({"is_json", "is_quiet", "fields", "wide", "as_user", "far_server", "far_token"})
# Django gives them to every command.
COMMON = frozenset(
    {"version", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks"}
)


def sections() -> Iterator[str]:
    """A section per noun, then the commands that stand alone."""
    import typer  # noqa: PLC0415 -- slow import

    from sessions.management.commands.aegis import Command  # noqa: PLC0415 -- app ready

    with warnings.catch_warnings():
        # django-typer has not followed Typer there yet.
        warnings.simplefilter("ignore", DeprecationWarning)
        root: Any = typer.main.get_command(Command.typer_app)
    nouns = {name: one for name, one in root.commands.items() if hasattr(one, "commands")}
    for name, noun in sorted(nouns.items()):
        yield f"## {name}\n\n{noun.help}"
        for verb, one in noun.commands.items():
            yield from _command(f"{name} {verb}", one)
    yield "## Without a noun"
    for name, one in sorted(root.commands.items()):
        if name not in nouns:
            yield from _command(name, one)


def _command(name: str, one: Any) -> Iterator[str]:
    arguments = [each for each in one.params if each.param_type_name == "argument"]
    words = " ".join([f"aegis {name}", *map(_metavar, arguments)])
    yield f"### {name}\n\n`{words}`"
    yield from (_prose(text) for text in (one.help or "").split("\n\n") if text)
    lines = [_option(each) for each in one.params if _is_shown(each)]
    if lines:
        yield "\n".join(lines)


def _prose(text: str) -> str:
    """A paragraph; one of examples is a block of them."""
    if not text.startswith("Example"):
        return text
    examples = " ".join(text.partition(": ")[2].split())
    examples = re.sub("; (?=aegis |source )", "\n", examples)
    return f"```sh\n{examples}\n```"


def _is_shown(one: Any) -> bool:
    return one.param_type_name != "argument" and one.name not in SHARED | COMMON


def _option(one: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*one.opts, *one.secondary_opts])
    value = "" if getattr(one, "is_flag", False) else f" *{_metavar(one)}*"
    return f"- {names}{value}: {(one.help or '').rstrip('.')}{_default(one)}."


def _metavar(one: Any) -> str:
    choices = getattr(one.type, "choices", None)
    if choices:
        return "|".join(str(getattr(word, "value", word)) for word in choices)
    word = one.metavar or (one.name.upper() if one.param_type_name == "argument" else "VALUE")
    return word if one.required or one.param_type_name != "argument" else f"[{word.strip('[]')}]"


def _default(one: Any) -> str:
    value = getattr(one.default, "value", one.default)
    is_told = value not in ("", None, False, []) and not callable(value)
    return f" ({value})" if is_told and not isinstance(value, bool | list | tuple) else ""
