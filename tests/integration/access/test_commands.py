"""Every verb of the command line, with everybody who may be named by ``--as``."""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints
from uuid import NAMESPACE_URL, uuid5

import pytest
import typer

from sessions.management.commands.aegis import alone, nouns
from sessions.management.verbs import Exit
from tests.integration.access import judging, tally
from tests.integration.access import world as worlds
from tests.integration.access.commands import COMMANDS, NOBODY_NAMED, WANTED
from tests.integration.access.rules import Rule
from tests.integration.access.world import Actor, World

pytestmark = [pytest.mark.django_db, pytest.mark.access, pytest.mark.timeout(300)]

PLACE = re.compile(r"<(\w+)>")
FILES = {"empty": "", "wanted": WANTED, "new": None}
AWAY = {Exit.NOT_FOUND, Exit.NOT_ALLOWED}


def verbs() -> Iterator[tuple[str, Any]]:
    yield from alone().items()
    for noun, app in nouns().items():
        for one in app.registered_commands:
            assert one.callback is not None
            yield f"{noun}.{one.name or one.callback.__name__}", one.callback


VERBS = dict(verbs())


def test_every_verb_has_a_rule():
    assert VERBS.keys() - NOBODY_NAMED == COMMANDS.keys()
    assert not any("as_user" in hints(name) for name in NOBODY_NAMED)


def hints(name: str) -> dict[str, Any]:
    return get_type_hints(VERBS[name])


@pytest.fixture
def files(world: World, tmp_path: Path) -> Iterator[None]:
    """Files that are there and one that may be written, under names as rows have them."""
    for name, content in FILES.items():
        world.ids[name] = tmp_path / name
        if content is not None:
            world.ids[name].write_text(content)
    yield
    for name in FILES:
        del world.ids[name]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("name", COMMANDS)
def test_everybody_gets_what_is_theirs(
    name: str, world: World, record_property: Any, capsys: pytest.CaptureFixture[str]
):
    people = [one for one in world.actors.values() if one.user]
    leaks: list[str] = []

    for actor in people:
        leaks += [f"{actor.name}: {leak}" for leak in tried(name, actor, world, capsys)]

    actors = [one.name for one in people]
    tally.note(record_property, verb=name, transport="CLI", actors=actors, leaks=leaks)
    assert not leaks, "\n".join(leaks)


# What cannot be taken back asks first, and nobody can be asked where there is no terminal. Here is
# nothing to be purged, which it would ask about.
SURE = [
    name
    for name in COMMANDS
    if "is_sure" in inspect.signature(VERBS[name]).parameters and name != "purge"
]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("name", SURE)
def test_without_a_terminal_and_a_yes_nothing_is_changed(
    name: str, world: World, capsys: pytest.CaptureFixture[str]
):
    actor = world.actors["superuser"]

    with worlds.savepoint(), worlds.writes() as tables:
        code, said = asked(name, actor, world.ids, capsys, is_sure=False)
        changed = judging.unchanged(world, tables)

    assert (code, changed) == (Exit.USAGE, [])
    assert "say --yes" in said


def tried(name: str, actor: Actor, world: World, capsys: Any) -> list[str]:
    """What is wrong with what one actor is told, for what is there and for what is not."""
    rule = COMMANDS[name]
    place = "".join(f"<str:{word}>" for word in places(rule))
    is_shown = rule.shows(actor, world, place)
    with worlds.savepoint(), worlds.writes() as tables:
        code, there = asked(name, actor, world.ids, capsys)
        found = [] if actor.sees(world) or rule.reach == "all" else judging.told(world, there)
        if is_shown and rule.permits(actor):
            is_kept = code in {*AWAY, Exit.UNEXPECTED}
            return [*found, f"is kept out: {code} {there[:300]}"] if is_kept else found
        found += judging.unchanged(world, tables)
        if code not in AWAY:
            found.append(f"is let in: {code} {there[:300]}")
    if not is_shown:
        with worlds.savepoint():
            nowhere = asked(name, actor, {**world.ids, **absent(rule)}, capsys)
        if (code, there) != nowhere:
            found.append(f"there {there[:200]!r}, nowhere {nowhere[1][:200]!r}")
    return found


def places(rule: Rule) -> list[str]:
    return PLACE.findall(json.dumps(rule.body or {}, default=str))


def absent(rule: Rule) -> dict[str, str]:
    """Names that lead nowhere, for what is hidden of what the command names."""
    words = [word for word in places(rule) if word not in FILES]
    return {word: str(uuid5(NAMESPACE_URL, word)) for word in words}


def asked(
    name: str, actor: Actor, ids: Any, capsys: Any, *, is_sure: bool = True
) -> tuple[int, str]:
    """The exit code, and what was said without the names that the command itself has said."""
    verb, code = VERBS[name], 0
    assert actor.user is not None
    try:
        given = arguments(verb, COMMANDS[name].body or {}, ids, is_sure=is_sure)
        verb(**given, as_user=actor.user.username)
    except typer.Exit as end:
        code = end.exit_code
    said = "".join(capsys.readouterr())
    for word in places(COMMANDS[name]):
        said = said.replace(str(ids[word]), f"<{word}>")
    return code, said


def arguments(verb: Any, given: dict[str, Any], ids: Any, *, is_sure: bool) -> dict[str, Any]:
    """What the command line would make of the words: names of rows, lists of one, a yes or none."""
    known = get_type_hints(verb)
    found = {
        name: ids[place[1]] if (place := PLACE.fullmatch(str(one))) else one
        for name, one in given.items()
    }
    for name, one in found.items():
        kinds = [known[name], *get_args(known[name])]
        takes_many = any(get_origin(kind) is list for kind in kinds)
        is_row = PLACE.fullmatch(str(given[name])) and not isinstance(one, Path)
        value = str(one) if is_row else one
        found[name] = [value] if takes_many and not isinstance(value, list) else value
    if "is_sure" in inspect.signature(verb).parameters:
        found["is_sure"] = is_sure
    return found
