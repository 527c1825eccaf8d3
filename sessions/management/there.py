"""
What the nouns of things that are registered do at a server that was named.

Where a thing is stands in parts of its address: ``:agent`` is what the command was told by that
name, ``~webhook`` too, or the beginning of an id in the list of the parts ahead of it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sessions.management import beginnings, output
from sessions.management.client import Client
from sessions.management.listing import Shape
from sessions.management.output import How

Far = Callable[..., None]
Given = dict[str, Any]


def at(server: Client, parts: Sequence[str], given: Given) -> list[str]:
    """The address, of what is taken out of what was given."""
    found: list[str] = []
    for part in parts:
        sign, name = part[0], part[1:]
        if sign == "~":
            found.append(beginnings.far_whole(server, *found, reference=given.pop(name)))
        else:
            found.append(str(given.pop(name)) if sign == ":" else part)
    return found


def listed(shape: Shape[Any], *parts: str, verb: str = "list", **fixed: Any) -> Far:
    """A verb that lists what is at an address, narrowed by what was given."""

    def several(server: Client, /, *, is_json: bool, is_quiet: bool, **given: Any) -> None:
        how, limit = How(is_json, is_quiet), given.pop("limit", 0)
        place = at(server, parts, given)
        if not limit:
            shape.tell(how, verb, server.get(*place, **given)["data"])
            return
        rows, has_more = server.several(*place, limit=limit, **fixed, **given)
        if has_more:
            output.say(f"There are more than {limit}; see --limit.")
        shape.tell(how, verb, rows, has_more=has_more)

    return several


def shown(shape: Shape[Any], *parts: str, verb: str = "show") -> Far:
    """A verb that shows one thing."""

    def one(server: Client, /, *, is_json: bool, is_quiet: bool, **given: Any) -> None:
        place = at(server, parts, given)
        shape.tell_one(How(is_json, is_quiet), verb, server.get(*place, **given))

    return one


def sent(
    shape: Shape[Any], verb: str, method: str, *parts: str, body: Callable[..., Any] = dict
) -> Far:
    """A verb that sends what ``body`` makes of what was given, and shows what is answered."""

    def send(server: Client, /, *, is_json: bool, is_quiet: bool, **given: Any) -> None:
        place = at(server, parts, given)
        row = server.send(method, *place, body=body(**given))
        shape.tell_one(How(is_json, is_quiet), verb, row)

    return send


def removed(shape: Shape[Any], *parts: str) -> Far:
    """A verb that removes those that are named last, each whatever becomes of the others."""
    *ahead, last = parts
    name = last[1:]

    def remove(
        server: Client,
        /,
        *,
        is_sure: bool,
        is_dry: bool,
        is_json: bool,
        is_quiet: bool,
        **given: Any,
    ) -> None:
        references, how = given.pop(name), How(is_json, is_quiet)
        before = at(server, ahead, given)

        def read(one: str) -> Any:
            return server.get(*at(server, [*before, last], {name: one}))

        def act(one: str) -> Any:
            row = read(one)
            server.send("DELETE", *before, str(row[shape.name]))
            return row

        shape.remove_by(how, references, read=read, act=act, is_sure=is_sure, is_dry=is_dry)

    return remove
