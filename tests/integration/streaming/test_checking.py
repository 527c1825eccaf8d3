import json

import pytest

from aegis_project.kit.errors import ValidationFailed
from streaming.engines.memory import MemoryEngine
from streaming.engines.rulebook import RuleBook
from streaming.hub import Hub, checking
from tests.hubs import SESSION

TOPIC = "orders.BTC"
KEY, ASIDE = (SESSION, TOPIC), (SESSION, f"dlq.{TOPIC}")
SCHEMA = {"type": "object", "required": ["price"]}
GOOD, BAD, WORSE = {"price": 1}, {"cost": 1}, 5
WANTS = "$: 'price' is a required property"


def hub_with(*topics):
    async def load(session_ids):
        return {key: list(topics) for key in session_ids}

    rules = RuleBook(load)
    return Hub(engines=[MemoryEngine(rules=rules)], rules=rules)


def rule(**more):
    return {"pattern": "orders.*", "schema": SCHEMA, **more}


def records(*values):
    return [(1000 + n, json.dumps(value).encode()) for n, value in enumerate(values)]


async def stored(hub, key):
    cut = await hub.read(key, 0)
    return [] if cut is None else [json.loads(data) for data in cut.data]


async def test_records_without_a_schema_are_published_as_they_are():
    hub = hub_with(rule())

    offered = await checking.offer(hub, (SESSION, "trades.BTC"), records(BAD, WORSE), by="c1")

    assert (offered.topic, offered.size, offered.quarantined) == ("trades.BTC", 2, 0)
    assert await stored(hub, (SESSION, "trades.BTC")) == [BAD, WORSE]


async def test_records_that_fit_are_published():
    hub = hub_with(rule())

    offered = await checking.offer(hub, KEY, records(GOOD, GOOD), by="c1")

    assert (offered.position.seq, offered.size, offered.quarantined) == (2, 2, 0)


async def test_records_of_which_one_breaks_the_schema_are_refused_and_spend_no_number():
    hub = hub_with(rule())
    await checking.offer(hub, KEY, records(GOOD), by="c1")

    with pytest.raises(ValidationFailed) as refused:
        await checking.offer(hub, KEY, records(GOOD, BAD, WORSE), by="c1")

    assert refused.value.details == {"record": 1, "reason": WANTS}
    assert (await hub.bounds(KEY))[1].seq == 1
    assert await hub.board.names(SESSION) == [TOPIC]


async def test_records_that_break_the_schema_are_put_aside_with_why_and_by_whom():
    hub = hub_with(rule(on_invalid="quarantine"))

    offered = await checking.offer(hub, KEY, records(GOOD, BAD, GOOD), by="c1")

    assert (offered.topic, offered.position.seq, offered.size) == (TOPIC, 2, 2)
    assert offered.quarantined == 1
    assert await stored(hub, KEY) == [GOOD, GOOD]
    assert await stored(hub, ASIDE) == [
        {"topic": TOPIC, "error": WANTS, "data": BAD, "producer": "c1"}
    ]


async def test_when_nothing_fits_the_answer_says_where_it_is():
    hub = hub_with(rule(on_invalid="quarantine"))

    offered = await checking.offer(hub, KEY, records(BAD, WORSE), by="c1")

    assert (offered.topic, offered.position.seq) == (ASIDE[1], 2)
    assert (offered.size, offered.quarantined) == (2, 2)
    assert await hub.board.names(SESSION) == [ASIDE[1]]


async def test_what_is_repeated_is_put_aside_once():
    hub = hub_with(rule(on_invalid="quarantine"))

    offers = [
        await checking.offer(hub, KEY, records(GOOD, BAD), ("feed", 1, 7), by="c1")
        for _ in range(2)
    ]

    assert offers[0] == offers[1]
    assert await stored(hub, KEY) == [GOOD]
    assert [note["producer"] for note in await stored(hub, ASIDE)] == ["feed"]
