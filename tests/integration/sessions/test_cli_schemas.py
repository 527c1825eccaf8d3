"""What commands print with `--json` is published; the fixture `aegis` holds them to it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from components.services.registry import Expected
from sessions.core.lifecycle import Mode, State
from sessions.management import schemas
from sessions.management.commands.aegis import Command
from sessions.models import Grant, Webhook
from tests import archive, asking, factories
from tests.archive import DAY_MS, trade

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

# They serve, or what they print is a file of another format.
WITHOUT_JSON = {
    *("run", "serve", "worker", "launcher", "completion"),
    *("audit.export", "message.export", "template.export", "topic.export"),
}
# What stands behind a command's own name: what it would do, or did to several.
MORE = {"plan", "several", "withdraw", "settings"}


def commands() -> Iterator[tuple[str, set[str]]]:
    """Every command with the options it has."""
    root: Any = typer.main.get_command(Command.typer_app)
    for name, one in root.commands.items():
        for verb, command in getattr(one, "commands", {"": one}).items():
            options = {option for parameter in command.params for option in parameter.opts}
            yield f"{name}.{verb}".rstrip("."), options


def test_each_command_has_a_document_and_each_document_a_command():
    found = dict(commands())

    with_json = {schemas.named(name) for name, options in found.items() if "--json" in options}
    own = {name for name in schemas.DOCUMENTS if name.rpartition(".")[2] not in MORE}
    assert with_json == own | schemas.LINES.keys()
    assert {name for name, options in found.items() if "--json" not in options} == WITHOUT_JSON


def test_each_command_shows_how_it_is_used():
    root: Any = typer.main.get_command(Command.typer_app)
    helps = {
        f"{name} {verb}": command.help
        for name, one in root.commands.items()
        for verb, command in getattr(one, "commands", {"": one}).items()
    }

    assert not [
        name
        for name, said in helps.items()
        if f"aegis {name}".strip() not in said and not said.startswith("The same as")
    ]


def test_a_schema_is_printed_and_they_are_listed(aegis):
    one = json.loads(aegis("schema", "session", "show").out)
    listed = aegis("schema", "--json").document["data"]
    unknown = aegis("schema", "session", "nothing")

    assert one == schemas.schema("session.state")
    tail = {"command": "event tail", "schema": "aegis.event.tail/1", "is_stream": True}
    assert tail in listed
    assert (unknown.code, unknown.err.splitlines()[0]) == (
        2,
        "error: USAGE: session.nothing has no schema; see aegis schema.",
    )


# Each line is a command; what it prints is checked where it is called.


@pytest.fixture
def walk(aegis, tmp_path: Path):
    """Give commands, one per line, with `--json`; each has to end well."""

    def walk(text: str, **values: Any) -> list[str]:
        names = []
        for line in text.strip().splitlines():
            words = [word.format(file=tmp_path / "file", **values) for word in line.split()]
            told = aegis(*words, "--json")
            assert told.code == 0, (words, told.err)
            names.append(told.document["schema"])
        return names

    return walk


def test_the_lever_says_what_is_published(walk):
    factories.session(key="k", expected=[Expected(name="feed", required=False)])

    walk("""
        session attach k prices:feed --no-required
        session start k --dry-run
        session start k
        session pause k
        session fail k --error broken
        session stop k
        session restart k --dry-run
        session restart k
        session tag k one two
        session untag k two
        tag suggest k
        checkpoint create k --label here
        checkpoint list k
        session stop k
        session recover k here
        session fork k here --key forked
        checkpoint remove k here --yes
        session complete k --result 1
        session end forked --dry-run
        session end forked --yes
        session delete k --yes
    """)


def test_a_clock_says_what_is_published(walk, tmp_path: Path, settings):
    archive.write(tmp_path, "trades.BTCUSDT", [trade(i, DAY_MS + i) for i in range(1, 10)])
    settings.DATASETS = {"data": tmp_path}
    config = {"source": {"dataset": "data"}}
    factories.session_in(State.PAUSED, mode=Mode.HISTORICAL, config=config, key="k")

    walk("""
        session clock k
        session seek k 2024-08-08T00:00:00.004Z
        session speed k 2
        session step k 3
    """)


def test_the_library_says_what_is_published(walk, tmp_path: Path):
    factories.session(key="k")
    (tmp_path / "file").write_text("a,b\n1,2\n")

    walk("""
        tag create mine
        tag list
        tag change mine --color #303f9f
        tag remove mine --yes
        template from-session desk k
        template create other {{}}
        template change desk --recipe {{"name":"Others"}}
        template diff desk 1 2
        template versions desk
        template activate desk 1
        template list
        template remove desk other --yes
        bookmark create k --seq 1
        bookmark list
        artifact write k {file} --name a.csv
        artifact list k
        artifact read k a.csv --output {file}
        artifact link k a.csv
        artifact link k a.csv --withdraw
        session export k --output {file}
        session import {file} --key again
        doctor --settings
    """)


def test_agents_and_what_they_ask_say_what_is_published(walk):
    session = factories.session_in(State.RUNNING, key="k")
    run = asking.run(session)
    approvals = {name: asking.approval(run).pk for name in ("a", "b", "c", "d")}
    walk("approval approve {a} --remember session", **approvals)

    walk(
        """
        approval claim {b}
        approval reject {b} --dry-run
        approval reject {b} {c}
        approval reject {d}
        policy list
        policy show manual
        policy grants
        policy revoke {grant}
        runs list
        runs start k --agent trader
        runs cancel {run}
        agent create analyst
        agent list
        agent remove analyst --yes
        provider create own --base-url http://a.example
        provider list
        provider remove own --yes
        tool-server create far --url http://a.example/mcp
        tool-server list
        tool-server show far
        tool-server remove far --yes
        credential issue dash --scope sessions:read
        credential list
        role list
        """,
        **approvals,
        run=run.pk,
        grant=Grant.objects.get().pk,
    )


def test_what_is_told_to_others_says_what_is_published(walk):
    session = factories.session(key="k")
    agent = asking.agent()
    walk("""
        webhook create https://a.example/ --session k
        trigger create trader --pattern prices.*
        message say k hello --no-answer
    """)

    walk(
        """
        webhook list
        webhook update {webhook} --resting
        webhook rotate {webhook}
        webhook deliveries {webhook}
        webhook remove {webhook} --yes
        trigger list
        trigger show {trigger}
        trigger test {trigger} --topic prices.a
        trigger remove {trigger} --yes
        message choose k {message}
        """,
        webhook=Webhook.objects.get().pk,
        trigger=agent.triggers.get().pk,
        message=session.messages.get().pk,
    )
