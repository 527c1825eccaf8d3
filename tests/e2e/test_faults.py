"""The faults of docs/faults.md that need a server, and no other test has: one test each."""

import contextlib
import time

import pytest

from streaming.core import position
from tests.e2e import remote
from tests.e2e.places import DAPHNE, POSTGRES, SQLITE
from tests.e2e.remote import assert_no_traceback, opened, publish, until

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.parametrize("anywhere", [SQLITE, DAPHNE, POSTGRES], indirect=True, scope="module"),
]

PRICES = "prices.BTCUSDT"


@pytest.fixture(scope="module")
def server(anywhere):
    # Nobody is lost here for being slow: each connection is to end for its own reason.
    with anywhere.serve(AEGIS_LOST_SECONDS="60", AEGIS_GRACE_SECONDS="3") as running:
        yield running
        assert_no_traceback(running)


class Pair:
    """Both sockets of a raw component, after ACK and hello."""

    def __init__(self, control, data, ack):
        self.control, self.data = control, data
        self.component_id, self.name = ack["component_id"], ack["name"]

    async def state(self, component, session="running"):
        """Wait until STATE says so."""
        while (told := await self.control.hear("STATE"))["component"] != component:
            pass
        assert told["session"] == session

    async def ready(self):
        await self.control.say({"COMMAND": "READY"})
        await self.state("running")

    async def codes(self):
        return await self.control.closed(), await self.data.closed()


@contextlib.asynccontextmanager
async def joined(server, token, name="feed", data_token="", **register):
    async with opened(server, "control") as control, opened(server, "data") as data:
        own = {"session_token": token, "name": name, "topics": [PRICES], "proto": {"v": 1}}
        await control.say({**own, **register})
        ack = await control.hear("ACK")
        hello = {"session_token": data_token or token, "component_id": ack["component_id"]}
        await data.say(hello)
        await data.hear("ACK")
        yield Pair(control, data, ack)


async def started(server, **given):
    made = await remote.make(server, **given)
    await remote.order(server, made["id"], "start")
    return made["id"], made["session_token"]


async def issued(server, session_id, **given):
    """A further token of a session, and the id of its credential."""
    path = f"/api/v1/sessions/{session_id}/tokens"
    answer = await remote.ask(server, "POST", path, given)
    assert answer.status == 201, answer
    return answer.body["session_token"], answer.body["credential"]["id"]


# READY and names


async def test_duplicate_ready_is_a_notice_and_changes_nothing(server):
    session_id, token = await started(server)
    async with joined(server, token) as pair:
        await pair.ready()
        await pair.control.say({"COMMAND": "READY"})
        notice = await pair.control.hear("NOTICE")

        events = [event["type"] for event in await remote.events(server, session_id)]
        assert notice["code"] == "ALREADY_READY"
        assert events.count("component.ready") == 1
        assert (pair.control.code, pair.data.code) == (None, None)


async def test_ready_too_early_is_remembered_and_says_what_it_waits_for(server):
    made = await remote.make(server)
    token = made["session_token"]
    async with opened(server, "control") as control, opened(server, "data") as data:
        await control.say({"session_token": token, "topics": [PRICES], "proto": {"v": 1}})
        component_id = (await control.hear("ACK"))["component_id"]
        await control.say({"COMMAND": "READY"})
        first = await control.hear("NOTICE")
        await data.say({"session_token": token, "component_id": component_id})
        second = await control.hear("NOTICE")
        await remote.order(server, made["id"], "start")
        while (await control.hear("STATE"))["component"] != "running":
            pass
        await publish(server, made["id"], PRICES, 1)
        await until(lambda: data.frames[-1].get("data") == 1)

    waited = [(one["code"], one["waiting_for"]) for one in (first, second)]
    assert waited == [("WAITING_FOR", "data_socket"), ("WAITING_FOR", "session")]


async def test_duplicate_name_gets_a_number_and_both_live(server):
    _, token = await started(server)
    async with joined(server, token, "twin") as first, joined(server, token, "twin") as second:
        await first.ready()
        await second.ready()

        assert (first.name, second.name) == ("twin", "twin-2")
        assert first.component_id != second.component_id


# Topics


async def test_unknown_topic_in_a_register_is_refused_without_an_ack(server):
    session_id, _ = await started(server)
    token, _ = await issued(server, session_id, patterns=["prices.*"])
    for topics in (["bad..name"], [PRICES, "trades.BTCUSDT"]):
        async with opened(server, "control") as control:
            await control.say({"session_token": token, "topics": topics, "proto": {"v": 1}})

            assert await control.closed() == 4010
            assert [frame["code"] for frame in control.frames] == ["UNKNOWN_TOPIC"]
            assert control.frames[0]["details"]["topic"] == topics[-1]
    assert await remote.components(server, session_id) == {}


async def test_unknown_and_forbidden_topics_in_a_subscribe_leave_the_others(server):
    session_id, _ = await started(server)
    token, _ = await issued(server, session_id, patterns=["prices.*"])
    async with joined(server, token) as pair:
        wanted = [PRICES, "bad..name", "trades.BTCUSDT", {"topic": "prices.*", "policy": "block"}]
        await pair.data.say({"COMMAND": "SUBSCRIBE", "id": 3, "topics": wanted})
        answer = await pair.data.hear("SUBSCRIBED")
        await pair.ready()
        await publish(server, session_id, PRICES, 1)
        await until(lambda: pair.data.frames[-1].get("data") == 1)

        assert [entry["topic"] for entry in answer["topics"]] == [PRICES]
        assert answer["errors"] == [
            {"topic": "bad..name", "code": "UNKNOWN_TOPIC", "temporary": False},
            {"topic": "trades.BTCUSDT", "code": "UNKNOWN_TOPIC", "temporary": False},
            {"topic": "prices.*", "code": "VALIDATION_ERROR", "temporary": False},
        ]


async def test_strategy_that_comes_before_its_feed_gets_everything(server):
    _, token = await started(server)
    wanted = {"COMMAND": "SUBSCRIBE", "id": 9, "topics": ["trades.BTC", "book.*"]}
    async with joined(server, token, "strategy", topics=[]) as strategy:
        await strategy.data.say(wanted)
        subscribed = await strategy.data.hear("SUBSCRIBED")
        await strategy.ready()
        async with joined(server, token, "feed", topics=[]) as feed:
            for topic, data in (("trades.BTC", 1), ("book.BTC", 2), ("trades.BTC", 3)):
                await feed.data.say({"COMMAND": "PUBLISH", "topic": topic, "data": data})
            await until(lambda: sum("data" in frame for frame in strategy.data.frames) == 3)
        announced = await strategy.data.hear("SUBSCRIBED")

    (entry,) = subscribed["topics"]
    assert (entry["topic"], entry["start"], entry["head"], entry["next"]) == ("trades.BTC", 1, 0, 1)
    assert (announced["id"], announced["topics"][0]["topic"]) == (9, "book.BTC")
    frames = strategy.data.frames
    records = [(one["topic"], one["seq"], one["data"]) for one in frames if "data" in one]
    assert sorted(records) == [("book.BTC", 1, 2), ("trades.BTC", 1, 1), ("trades.BTC", 2, 3)]
    # Told before its first record.
    (first,) = [place for place, one in enumerate(frames) if one.get("topic") == "book.BTC"]
    assert first > frames.index(announced)


# Tokens


async def test_token_that_expires_is_told_and_may_be_replaced_or_closes_4002(server):
    session_id, _ = await started(server)
    (going, _), (staying, _) = [
        await issued(server, session_id, lifetime_seconds=2) for _ in range(2)
    ]
    lasting, _ = await issued(server, session_id)
    async with joined(server, going, "going") as gone, joined(server, staying, "staying") as kept:
        exp = (await gone.control.hear("TOKEN_EXPIRING"))["exp"]
        await kept.control.hear("TOKEN_EXPIRING")
        await kept.control.say({"COMMAND": "REFRESH", "session_token": "aeg_nothing"})
        refused = await kept.control.hear("ERROR")
        await kept.control.say({"COMMAND": "REFRESH", "session_token": lasting})
        answer = await kept.control.hear("ACK")
        await kept.ready()
        await until(gone.control._reader.done, seconds=40)
        codes, at_ms = await gone.codes(), time.time() * 1000
        await publish(server, session_id, PRICES, 1)
        await until(lambda: kept.data.frames[-1].get("data") == 1)

        assert (refused["code"], answer["ref"]) == ("TOKEN_INVALID", "REFRESH")
        assert codes == (4002, 4002)
        assert at_ms >= exp + 25_000
        last = [socket.frames[-1]["code"] for socket in (gone.control, gone.data)]
        assert last == ["TOKEN_EXPIRED"] * 2
        assert (kept.control.code, kept.data.code) == (None, None)


async def test_revoked_token_closes_both_sockets_at_once(server):
    session_id, token = await started(server, components=[])
    revoked, credential = await issued(server, session_id)
    async with (
        joined(server, revoked, "gone") as gone,
        joined(server, token, "half", data_token=revoked) as half,
        joined(server, token, "kept") as kept,
    ):
        await gone.ready()
        answer = await remote.ask(server, "DELETE", f"/api/v1/credentials/{credential}")
        assert answer.status == 204
        codes = [*await gone.codes(), await half.data.closed()]

        assert codes == [4003] * 3
        last = [one.frames[-1]["code"] for one in (gone.control, gone.data, half.data)]
        assert last == ["CONNECTION_FORBIDDEN"] * 3
        assert (half.control.code, kept.control.code, kept.data.code) == (None, None, None)

    async def has_failed():
        return (await remote.components(server, session_id))["gone"]["state"] == "failed"

    await until(has_failed)


# Ends


def receipt(pair, topic):
    """The END of a topic, and the chain value that its raw records and SUBSCRIBED amount to."""
    (entry,) = [
        entry
        for frame in pair.data.frames
        if frame.get("COMMAND") == "SUBSCRIBED"
        for entry in frame["topics"]
    ]
    ck, seq = bytes.fromhex(entry["ck"]), entry["next"] - 1
    for text in pair.data.raw:
        if text.startswith('{"topic":'):
            seq += 1
            ck = position.chain(ck, seq, text.partition('"data":')[2][:-1].encode())
    (end,) = [frame for frame in pair.data.frames if frame.get("COMMAND") == "END"]
    return end, (seq, ck.hex())


@pytest.mark.parametrize(
    ("verb", "code", "is_final"), [("stop", 1000, False), ("delete", 4005, True)]
)
async def test_session_that_ends_while_streaming_ends_with_a_receipt(server, verb, code, is_final):
    session_id, token = await started(server)
    async with joined(server, token) as pair:
        await pair.data.say({"COMMAND": "SUBSCRIBE", "id": 1, "topics": [PRICES]})
        await pair.data.hear("SUBSCRIBED")
        await pair.ready()
        await publish(server, session_id, PRICES, *range(200))
        if verb == "stop":
            await remote.order(server, session_id, "stop")
        else:
            await remote.ask(server, "DELETE", f"/api/v1/sessions/{session_id}")
        codes = await pair.codes()

        end, computed = receipt(pair, PRICES)
        assert codes == (code, code)
        assert (end["seq"], end["ck"]) == computed == (200, end["ck"])
        assert (end["count"], end["final"]) == (200, is_final)
        assert [one for one in pair.data.frames if one.get("COMMAND") == "GAP"] == []
        if verb == "stop":
            assert pair.control.frames[-1]["component"] == "stopped"
        else:
            assert pair.control.frames[-1]["code"] == "SESSION_OVER"


# Publishing


@pytest.mark.parametrize("on_invalid", ["refuse", "quarantine"])
async def test_poison_payload_is_refused_or_put_aside_and_spends_no_number(server, on_invalid):
    rule = {"pattern": "prices.*", "schema": {"type": "number"}, "on_invalid": on_invalid}
    session_id, token = await started(server, config={"topics": [rule]})
    aside = f"/api/v1/sessions/{session_id}/topics/dlq.{PRICES}"
    path = f"/api/v1/sessions/{session_id}/topics/{PRICES}"
    async with joined(server, token) as pair:
        await pair.data.say({"COMMAND": "PUBLISH", "topic": PRICES, "data": "poison", "id": 1})
        await pair.data.say({"COMMAND": "PUBLISH", "topic": PRICES, "data": 5, "id": 2})
        first, second = await pair.data.next(), await pair.data.next()
        over_http = await remote.ask(server, "POST", path, {"records": [{"data": []}]})
        kept = await remote.ask(server, "GET", aside)
        component_id = pair.component_id

    assert (second["id"], second["topic"], second["first"], second["last"]) == (2, PRICES, 1, 1)
    if on_invalid == "refuse":
        assert (first["code"], first["ref"]) == ("VALIDATION_ERROR", 1)
        assert (over_http.status, over_http.body["error"]["code"]) == (400, "VALIDATION_ERROR")
        assert kept.status == 404
    else:
        assert (first["id"], first["topic"], first["quarantined"]) == (1, f"dlq.{PRICES}", 1)
        assert (over_http.status, over_http.body["quarantined"]) == (201, 1)
        notes = [record["data"] for record in kept.body["data"]]
        assert [note["data"] for note in notes] == ["poison", []]
        assert notes[0]["producer"] == component_id
        assert {note["topic"] for note in notes} == {PRICES}


async def test_publisher_that_repeats_after_a_cut_is_answered_as_the_first_time(server):
    _, token = await started(server)
    said = {"COMMAND": "PUBLISH", "topic": PRICES, "msgs": [1, 2], "producer": "feed", "n": 1}
    async with joined(server, token, "feed") as pair:
        await pair.data.say({**said, "id": 1})
        first = await pair.data.hear("PUBLISHED")
        pair.data.abort()
    async with joined(server, token, "feed") as pair:
        await pair.data.say({**said, "id": 2})
        again = await pair.data.hear("PUBLISHED")
        await pair.data.say({**said, "n": 2, "id": 3})
        more = await pair.data.hear("PUBLISHED")

    assert {**again, "id": 1} == first
    assert [(one["first"], one["last"]) for one in (first, more)] == [(1, 2), (3, 4)]
