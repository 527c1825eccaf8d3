"""The examples in the help of every command are commands that there are."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer._click.exceptions import UsageError

from sessions.management.commands.aegis import HELPS, Command

pytestmark = [
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]
EXAMPLES = re.compile(r"^Examples?: (.*)", re.DOTALL | re.MULTILINE)
# What of a shell stands behind a command, or around it.
SHELL = frozenset("<>|()")


def commands() -> Iterator[tuple[str, Any]]:
    """Every command by its words, but those that are another word for one."""
    root: Any = typer.main.get_command(Command.typer_app)
    for noun, one in root.commands.items():
        for verb, command in getattr(one, "commands", {"": one}).items():
            if not command.help.startswith("The same as"):
                yield f"{noun} {verb}".strip(), command


def examples(text: str) -> list[list[str]]:
    """The words of each example in the help of a command, without what is the shell's."""
    found = EXAMPLES.search(text)
    lexer = shlex.shlex(found[1] if found else "", posix=True, punctuation_chars=";<>|()")
    lexer.whitespace_split, lexer.commenters = True, ""
    several: list[list[str]] = [[]]
    for word in lexer:
        if word == ";":
            several.append([])
        else:
            several[-1].append(word)
    return [_own(words) for words in several if words]


def _own(words: list[str]) -> list[str]:
    own = words[words.index("aegis") + 1 :]
    ends = [place for place, word in enumerate(own) if set(word) <= SHELL]
    return own[: ends[0]] if ends else own


def faults(name: str, command: Any) -> list[str]:
    """What is wrong with the examples of a command."""
    found, words = examples(command.help), name.split()
    wrong = [] if len(found) >= 2 else ["has fewer than two examples"]
    if len({tuple(one) for one in found}) < len(found):
        wrong.append("says the same twice")
    for one in found:
        if one[: len(words)] != words:
            wrong.append(f"shows another command: {one}")
            continue
        try:
            command.make_context(name, one[len(words) :], django_command=Command())
        except UsageError as error:
            wrong.append(f"does not take {one}: {error.format_message()}")
    return wrong


def test_each_help_has_two_examples_that_the_command_takes():
    assert {name: found for name, one in commands() if (found := faults(name, one))} == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Example: aegis event tail", [["event", "tail"]]),
        ("It.\n\nExamples: aegis a 'b; c' > d; aegis e |\nsort", [["a", "b; c"], ["e"]]),
        ("Examples: source <(aegis completion bash)", [["completion", "bash"]]),
        ("It shows nothing.", []),
    ],
)
def test_examples_are_read_without_what_is_the_shells(text: str, words: list[list[str]]):
    assert examples(text) == words


def test_what_is_another_word_says_for_what():
    root: Any = typer.main.get_command(Command.typer_app)
    said = [
        command.help.removeprefix("The same as ").rstrip(".")
        for name, one in root.commands.items()
        for command in getattr(one, "commands", {name: one}).values()
        if command.help.startswith("The same as")
    ]

    nouns = {name for name, one in root.commands.items() if hasattr(one, "commands")}
    names = dict(commands())
    known = {*names, *(name.partition(" ")[2] for name in names)}
    assert set(said) <= known
    assert set(HELPS) <= set(root.commands) - nouns
