from typing import Any

import pytest

from aegis_project.database import run_db
from sessions.selectors import topic_rules
from sessions.services import creation
from sessions.services.creation import Draft
from streaming.core.rules import Keep, Rule
from streaming.engines.memory import MemoryEngine
from streaming.engines.rulebook import RuleBook
from streaming.hub import Hub
from streaming.node import Node
from streaming.upkeep import RulesJob
from tests import waiting
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db(transaction=True)


def session(*rules: dict[str, Any]) -> str:
    draft = Draft(config={"topics": list(rules)})
    return str(creation.create(principal=OPERATOR, draft=draft).session.pk)


def change(session_id: str, *rules: dict[str, Any]) -> None:
    changes = {"config": {"topics": list(rules)}}
    creation.update(principal=OPERATOR, session=session_id, changes=changes)


def hub() -> Hub:
    rules = RuleBook(topic_rules.load)
    return Hub(engines=[MemoryEngine(rules=rules)], rules=rules)


async def fill(hub: Hub, session_id: str, *items: bytes) -> int:
    await hub.publish((session_id, "a"), [(0, item) for item in items])
    start, _ = await hub.bounds((session_id, "a"))
    return start


# Rules


async def test_what_a_session_says_of_its_topics_counts():
    ruled = await run_db(session, {"pattern": "a", "retention": {"records": 2}})
    free = await run_db(session)
    here = hub()

    found = await here.rules.of(ruled)

    assert found.of("a") == Rule("a", keep=Keep(records=2))
    assert await fill(here, ruled, b"1", b"2", b"3") == 2
    assert await fill(here, free, b"1", b"2", b"3") == 1
    assert await fill(here, "no-session", b"1", b"2", b"3") == 1


async def test_changed_rules_count_in_a_running_process():
    session_id = await run_db(session)
    node = Node(hub=hub(), jobs=[RulesJob()])
    await node.start()
    try:
        start = await fill(node.hub, session_id, b"1", b"2", b"3")

        await run_db(change, session_id, {"pattern": "*", "retention": {"records": 1}})

        key = (session_id, "a")
        log = node.hub.board.lines[key].log
        await waiting.until(lambda: log.start == 3)
        assert start == 1
    finally:
        await node.stop()
