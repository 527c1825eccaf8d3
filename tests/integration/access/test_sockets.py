"""Every frame of every socket, with everybody: its door and its act, in the world of one process."""

import json
from typing import Any, get_args
from uuid import NAMESPACE_URL, uuid5

import pytest

from sessions.admin import frames as live
from sessions.dialects import session_frames
from tests.integration.access import judging, sockets, tally
from tests.integration.access import world as worlds
from tests.integration.access.sockets import Frame
from tests.integration.access.test_envelopes import KEPT_OUT
from tests.integration.access.world import Actor, World

pytestmark = [pytest.mark.django_db, pytest.mark.access, pytest.mark.timeout(300)]

AWAY = {401, 403, 404}
# Who is there is said by the door; a sign of life does nothing.
NO_ORDERS = {"authenticate", "heartbeat"}


def test_every_frame_has_a_rule():
    words = {str(one.__struct_config__.tag) for one in get_args(session_frames.AnyFrame)}

    assert words - NO_ORDERS == sockets.OF_SESSION.keys()
    assert live.FEEDS.keys() == sockets.LIVE.keys()


@pytest.mark.parametrize("frame", sockets.every(), ids=str)
def test_everybody_gets_what_is_theirs(frame: Frame, world: World, record_property: Any):
    leaks: list[str] = []

    for actor in world.actors.values():
        leaks += [f"{actor.name}: {leak}" for leak in tried(frame, actor, world)]

    tally.note(
        record_property,
        verb=frame.name,
        transport=frame.transport,
        actors=world.actors,
        leaks=leaks,
    )
    assert not leaks, "\n".join(leaks)


def tried(frame: Frame, actor: Actor, world: World) -> list[str]:
    """What is wrong with what one actor is told, for what is there and for what is not."""
    place = "/".join(f"<str:{word}>" for word in places(frame))
    is_shown = frame.rule.shows(actor, world, place)
    is_page = not frame.has_cookie or bool(actor.cookie)
    with worlds.savepoint(), worlds.writes() as tables:
        status, there = sockets.said(frame, actor, world.ids)
        is_away = status in AWAY or bool(KEPT_OUT.search(there))
        found = [] if actor.sees(world) else judging.told(world, there)
        is_permitted = frame.rule.permits(actor) and frame.rule.scopes != sockets.NOBODY
        if is_shown and is_page and is_permitted:
            return [*found, f"is kept out: {status} {there[:300]}"] if is_away else found
        found += judging.unchanged(world, tables)
        if not is_away:
            found.append(f"is let in: {status} {there[:300]}")
    if not is_shown and not actor.is_anonymous:
        with worlds.savepoint():
            nowhere = sockets.said(frame, actor, {**world.ids, **absent(frame)})
        if (status, there) != nowhere:
            found.append(f"there {there[:200]!r}, nowhere {nowhere[1][:200]!r}")
    return found


def places(frame: Frame) -> list[str]:
    return sockets.PLACE.findall(json.dumps(frame.rule.body or {}))


def absent(frame: Frame) -> dict[str, str]:
    return {word: str(uuid5(NAMESPACE_URL, word)) for word in places(frame)}
