"""The examples in the help of every command are commands that there are."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer._click.exceptions import UsageError

from components.core.lifecycle import Role
from components.services.registry import Expected
from sessions.management.commands.aegis import HELPS, Command
from sessions.models import Agent, Policy, Provider, ToolServer
from sessions.services import artifacts, checkpoints, conversation, forks, presets
from sessions.services.conversation import Utterance
from sessions.services.forks import Wish
from sessions.services.presets import About
from streaming.models import AuditEntry
from tests import asking, factories
from tests.factories import OPERATOR

pytestmark = [
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]
EXAMPLES = re.compile(r"^Examples?: (.*)", re.DOTALL | re.MULTILINE)
# What of a shell stands behind a command, or around it.
SHELL = frozenset("<>|()")


# What only reads, and ends by itself.
READING = (
    *("search", "statistics", "schema", "completion", "quota list", "budget list", "role list"),
    *("session list", "session state", "session diff", "component list", "component show"),
    *("event tail", "credential list", "message list", "message export", "agent list"),
    *("agent show", "agent check", "runs list", "approval list", "checkpoint list"),
    *("checkpoint show", "checkpoint diff", "replay review", "policy list", "policy show"),
    *("policy test", "policy grants", "policy rehearse", "provider list", "provider show"),
    *("tool list", "tool show", "tool calls", "tool-server list", "tool-server show"),
    *("artifact list", "artifact read", "artifact analyze", "tag list", "tag suggest"),
    *("bookmark list", "template list", "template show", "template versions", "trigger list"),
    *("template diff", "template export", "webhook list", "audit list", "audit search"),
    *("audit export", "demo status"),
)
# What stands in the place of an id, a file to be written or read, a model that is asked, or an end.
OTHERWISE = ("…", "-o", "@", "--call", "--type", "a.pdf")


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


@pytest.fixture
def desk():
    """What the examples speak of."""
    parts = [
        Expected(name="prices", required=False),
        Expected(name="desk", role=Role.TOOL, required=False),
    ]
    demo = factories.session(key="demo", team="default", expected=parts)
    factories.session(key="btc-demo", team="default")
    factories.readied(demo, "desk", capabilities={"tools": [{"name": "buy"}]})
    conversation.say(
        principal=OPERATOR, session=demo, draft=Utterance(content="A price gap.", answers=False)
    )
    for name, content in (("report.md", b"# Prices"), ("prices.csv", b"at,price\n1,2\n")):
        artifacts.create(principal=OPERATOR, session=demo, name=f"reports/{name}", content=content)
        artifacts.create(principal=OPERATOR, session=demo, name=name, content=content)
    for _ in range(2):
        checkpoints.create(principal=OPERATOR, session=demo, label="before the opening")
    forks.fork(principal=OPERATOR, session=demo, checkpoint="latest", wish=Wish(key="demo-fork"))
    asking.approval(asking.run(demo))
    Agent.objects.create(slug="analyst", model="scripted:assistant")
    Provider.objects.create(slug="local", base_url="http://127.0.0.1:9")
    ToolServer.objects.create(slug="search", url="https://tools.example/mcp", is_active=False)
    Policy.objects.create(slug="desk")
    presets.create(
        principal=OPERATOR, about=About(slug="desk", name="Desk", team=demo.team), recipe={}
    )
    presets.change(
        principal=OPERATOR, template="desk", changes={}, recipe={"name": "Another"}, note="two"
    )


@pytest.mark.django_db
def test_the_examples_that_only_read_end_well_and_write_nothing(aegis, desk):
    before, known, ends = AuditEntry.objects.count(), dict(commands()), {}
    for name in READING:
        for words in examples(known[name].help):
            if not any(sign in word for word in words for sign in OTHERWISE):
                ends[" ".join(words)] = (name, aegis(*words))

    assert {line: told.err for line, (_, told) in ends.items() if told.code} == {}
    assert {name for name, _ in ends.values()} == set(READING)
    assert AuditEntry.objects.count() == before
