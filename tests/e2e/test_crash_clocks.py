"""A server that is killed while a clock is moved: what was ordered is carried out, once."""

from urllib.parse import urlsplit

import pytest

from components.sdk import Gap, Record
from tests import archive
from tests.archive import DAY_MS, trade
from tests.e2e import ledgers, remote
from tests.e2e.places import POSTGRES, SQLITE
from tests.e2e.remote import Member, assert_no_traceback, until

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.parametrize("anywhere", [SQLITE, POSTGRES], indirect=True, scope="module"),
]

TRADES = "trades.BTCUSDT"
ROWS = 300
PATIENT = {"AEGIS_LOST_SECONDS": "5", "AEGIS_GRACE_SECONDS": "20"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clocks")
    archive.write(folder, TRADES, [trade(i, DAY_MS + 100 * i) for i in range(1, ROWS + 1)])
    return {**PATIENT, "AEGIS_DATASETS": f"data={folder}"}


async def order(running, session_id, verb, **body):
    answer = await remote.ask(running, "POST", f"/api/v1/sessions/{session_id}/{verb}", body)
    assert answer.status in {200, 202}, answer


async def replay(running):
    config = {"source": {"dataset": "data", "speed": 5}}
    return await remote.make(running, mode="historical", config=config, components=["sink"])


async def paused(running, session_id):
    return (await remote.session(running, session_id))["state"] == "paused"


def epochs(member):
    """The epochs of the records, in the order in which they came."""
    return list(dict.fromkeys(one.epoch for one in member.records))


async def test_seek_that_was_ordered_before_a_kill_is_carried_out_after_it(anywhere, settings):
    with anywhere.serve(**settings) as running:
        made = await replay(running)
        session_id, port = made["id"], str(urlsplit(running.url).port)
        async with Member(running.url, made["session_token"], "sink", [TRADES]) as sink:
            await remote.order(running, session_id, "start?wait=20")
            await until(lambda: len(sink.records) > 70)
            await order(running, session_id, "seek", to=DAY_MS + 5000)
            running.kill()
            with anywhere.serve("--port", port, **settings) as again:
                await order(again, session_id, "speed", speed=0)
                await sink.over()
                told = await remote.events(again, session_id)
                ended = await remote.session(again, session_id)
                assert_no_traceback(again)

    first, last = epochs(sink)[0], epochs(sink)[-1]
    before = [one.seq for one in sink.records if one.epoch == first]
    after = [one.seq for one in sink.records if one.epoch == last]
    assert before == list(range(1, len(before) + 1))
    assert (first != last, after) == (True, list(range(50, ROWS + 1)))
    assert [one.reason for one in sink.gaps] == ["epoch"]
    kinds = [type(one) for one in sink.events]
    assert kinds.index(Gap) == len(before)
    assert kinds.count(Record) == len(before) + len(after)
    assert [one["type"] for one in told].count("session.repositioned") == 1
    assert (ended["state"], ended["activation"]) == ("completed", 1)
    ledgers.sound_types(anywhere, session_id)


async def test_steps_that_were_ordered_before_a_kill_are_made_after_it_and_no_more(
    anywhere, settings
):
    with anywhere.serve(**settings) as running:
        made = await replay(running)
        session_id, port = made["id"], str(urlsplit(running.url).port)
        async with Member(running.url, made["session_token"], "sink", [TRADES]) as sink:
            await remote.order(running, session_id, "start?wait=20")
            await until(lambda: len(sink.records) > 10)
            await remote.order(running, session_id, "pause")
            path = f"/api/v1/sessions/{session_id}/clock"
            stood = (await remote.ask(running, "GET", path)).body["n"]
            await order(running, session_id, "step", count=40)
            running.kill()
            with anywhere.serve("--port", port, **settings) as again:
                await until(lambda: paused(again, session_id), seconds=40)
                found = (await remote.ask(again, "GET", path)).body
                await until(lambda: len(sink.records) == found["n"])
                await order(again, session_id, "speed", speed=0)
                await remote.order(again, session_id, "start")
                await sink.over()
                assert_no_traceback(again)

    # Where it was paused is only known once its driver has let it go.
    assert found["n"] >= stood + 40
    assert found["steps"] is None
    assert [one.seq for one in sink.records] == list(range(1, ROWS + 1))
    assert sink.gaps == []
    assert sink.receipts[TRADES].is_verified
