"""`manage.py aegis NOUN VERB`: every noun is a module of its own and only assembled here."""

import sys
from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from typing import Any

import typer
from django_typer.management import Typer, TyperCommand, initialize
from typer._click.exceptions import UsageError

from sessions.management import next_steps, output, welcome
from sessions.management.verbs import Exit

PLACE = "sessions.management.aegis_"
# Modules of that name, each with an `app` that has the verbs.
NOUNS = (
    "session",
    "component",
    "topic",
    "event",
    "credential",
    "message",
    "agent",
    "runs",
    "approval",
    "checkpoint",
    "replay",
    "policy",
    "provider",
    "tool",
    "tool-server",
    "quota",
    "budget",
    "role",
    "artifact",
    "tag",
    "bookmark",
    "template",
    "trigger",
    "webhook",
    "secrets",
    "audit",
    "demo",
)
# Functions of that name (a hyphen is an underscore there), by their module.
ALONE = {
    "run": "run",
    "serve": "serve",
    "launcher": "launcher",
    "command": "command",
    "search": "search",
    "statistics": "statistics",
    "stats": "statistics",
    "load-test": "load_test",
    "worker": "worker",
    "doctor": "doctor",
    "backup": "backup",
    "restore": "backup",
    "purge": "purge",
    "schema": "schema",
    "completion": "completion",
}
# Two words for one thing.
HELPS = {"stats": "The same as statistics."}
# These tell of all others.
WIDE = {"schema", "completion"}


def nouns(only: Collection[str] = NOUNS) -> dict[str, Typer[..., Any]]:
    """The verbs of these nouns."""
    modules = {name: name.replace("-", "_") for name in NOUNS if name in only}
    return {name: import_module(PLACE + module).app for name, module in modules.items()}


def alone(only: Collection[str] = ALONE) -> dict[str, Callable[..., None]]:
    """These commands that have no noun."""
    modules = {name: module for name, module in ALONE.items() if name in only}
    return {
        name: getattr(import_module(PLACE + module), name.replace("-", "_"))
        for name, module in modules.items()
    }


def asked_for(arguments: Sequence[str]) -> Collection[str]:
    """
    The names that this process has use for, by what it was started with.

    Importing a noun takes longer than most of its verbs, so that one alone is imported where it is
    known which.
    """
    names = {*NOUNS, *ALONE}
    name = arguments[2] if arguments[1:2] == ["aegis"] and len(arguments) > 2 else ""
    return {name} if name in names - WIDE else names


class Command(TyperCommand, rich_markup_mode=None):
    """Aegis at the command line."""

    help = "Control live sessions. Without a noun: where to begin."
    requires_system_checks: list[str] = []

    @initialize(invoke_without_command=True)
    def begin(self, context: typer.Context) -> None:
        """Say where to begin, if nothing else was asked."""
        if context.invoked_subcommand is None:
            for line in welcome.lines():
                output.plain(line)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        if isinstance(error, UsageError) and self._called_from_command_line:
            super().__exit__(None, None, None)  # type: ignore[no-untyped-call]  # it has no types
            _end(error)
        return bool(super().__exit__(kind, error, trace))  # type: ignore[no-untyped-call]


def _end(error: UsageError) -> None:
    """Usage has an exit code of its own, and a page of help hides the one line that matters."""
    output.say(f"error: USAGE: {error.format_message()}")
    output.say(f"  next: {next_steps.help_step(error.ctx)}")
    sys.exit(Exit.USAGE)


wanted = asked_for(sys.argv)
for name, noun in nouns(wanted).items():
    Command.typer_app.add_typer(noun, name=name)
for name, command in alone(wanted).items():
    Command.typer_app.command(name, help=HELPS.get(name))(command)
