"""kill -9 of everything between a checkpoint and its recovery: both are as if nobody was killed."""

from typing import Any

import pytest

from tests.e2e import remote
from tests.e2e.places import POSTGRES, SQLITE, Place
from tests.serving import Running

pytestmark = [pytest.mark.timeout(180), pytest.mark.servers]

SESSIONS = "/api/v1/sessions"
RULES = {"topics": [{"pattern": "prices.*", "recorded": True}]}
HELD = ("memory", "participants")


async def checkpoint(running: Running, session: str, label: str) -> Any:
    answer = await remote.ask(
        running, "POST", f"{SESSIONS}/{session}/checkpoints", {"label": label}
    )
    assert answer.status == 201, answer
    return answer.body


@pytest.mark.parametrize("anywhere", [SQLITE, POSTGRES], indirect=True, scope="module")
async def test_a_checkpoint_outlives_whoever_took_it(anywhere: Place):
    memory = {"plan": {"size": 3, "note": "ü"}, "n": [1, None, True]}
    with anywhere.serve() as first:
        parts = [{"name": "feed", "role": "feed", "required": False, "topics": ["prices.*"]}]
        given = {"config": RULES, "memory": memory, "components": parts}
        session = (await remote.make(first, name="desk", **given))["id"]
        await remote.order(first, session, "start")
        await remote.publish(first, session, "prices.btc", *range(20))
        kept = await remote.until(lambda: taped(first, session))
        await remote.ask(first, "PATCH", f"{SESSIONS}/{session}", {"memory": {"plan": "lost"}})
        await remote.publish(first, session, "prices.btc", *range(20, 30))
        first.kill()

    with anywhere.serve() as second:
        await remote.order(second, session, "stop")
        found = await remote.order(second, session, "recover", {"checkpoint": kept["id"]})
        again = await checkpoint(second, session, "again")
        events = await remote.events(second, session)

    assert (found["state"], found["memory"]) == ("paused", memory)
    assert {name: again[name] for name in HELD} == {name: kept[name] for name in HELD}
    assert [one["seq"] for one in events] == list(range(1, len(events) + 1))
    # The tape goes on in the epoch that the checkpoint points into, from there or further.
    before, after = (one["positions"]["prices.btc"] for one in (kept, again))
    assert (before["epoch"], before["seq"]) == (after["epoch"], 20)
    assert after["seq"] >= 20


async def taped(running: Running, session: str) -> Any:
    """A checkpoint that finds all twenty records on tape."""
    found = await checkpoint(running, session, "kept")
    at = found["positions"].get("prices.btc", {"seq": 0})
    return found if at["seq"] == 20 else None
