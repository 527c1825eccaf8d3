"""kill -9 of a server that records: the topic goes on as its tape ends, and nobody is misled."""

import asyncio
import itertools
import json
import threading
from http.client import HTTPException
from urllib.parse import urlsplit

import pytest

from components.sdk import Gap, Record, Rewind, Subscription
from streaming.core import position
from tests.e2e import remote
from tests.e2e.places import POSTGRES, SQLITE
from tests.e2e.remote import Member, assert_no_traceback, until

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.parametrize("anywhere", [SQLITE, POSTGRES], indirect=True, scope="module"),
]

TOPIC = "trades.BTC"
PATIENT = {"AEGIS_SETTLING_SECONDS": "30", "AEGIS_LOST_SECONDS": "5", "AEGIS_GRACE_SECONDS": "20"}
RULE = {"pattern": "trades.**", "recorded": True, "retention": {"records": 50}}


class Feed:
    """A thread that publishes numbers over HTTP until the server is gone."""

    def __init__(self, running, session_id):
        self.running = running
        self.path = f"/api/v1/sessions/{session_id}/topics/{TOPIC}"
        self.acknowledged = 0
        self.enough = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        for number in itertools.count(1):
            try:
                records = {"records": [{"data": number}]}
                answer = remote.send(self.running, "POST", self.path, records)
            except (OSError, HTTPException):
                return
            assert answer.body["last"] == number
            self.acknowledged = number
            if number >= 150:
                self.enough.set()

    def until_killed(self):
        assert self.enough.wait(60)
        self.running.kill()
        self.thread.join()


def held(member):
    """What a client holds who does as it is told, and whether all of it is provable."""
    records: list[Record] = []
    is_whole = True
    for event in member.events:
        if isinstance(event, Rewind):
            records = [one for one in records if one.seq <= event.to]
        elif isinstance(event, Gap):
            assert (event.count, event.reason) == (None, "rollback")
            records, is_whole = [], False
        elif isinstance(event, Record):
            assert not records or event.seq == records[-1].seq + 1
            records.append(event)
    return [(one.seq, one.data) for one in records], is_whole


async def exported(running, session_id):
    """The topic as a file, of which the chain was computed again."""
    path = f"{running.url}/api/v1/sessions/{session_id}/topics/{TOPIC}/export"
    text = await remote.download(running, urlsplit(path).path)
    lines = [json.loads(line) for line in text.splitlines()]
    ck = position.genesis(TOPIC, lines[0]["epoch"])
    for line in lines:
        ck = position.chain(ck, line["seq"], b"%d" % line["data"])
        assert line["ck"] == ck.hex()
    return [(line["seq"], line["data"]) for line in lines], lines[0]["epoch"]


async def published(running, session_id, numbers):
    """Whether these were taken; a refusal must be one that passes."""
    records = {"records": [{"data": number} for number in numbers]}
    path = f"/api/v1/sessions/{session_id}/topics/{TOPIC}"
    answer = await remote.ask(running, "POST", path, records)
    assert answer.status in {201, 503}, answer
    return answer.status == 201


async def test_recorded_topic_goes_on_after_a_kill_with_nothing_lost_or_repeated_in_silence(
    anywhere,
):
    everything = Subscription(TOPIC, start="earliest")
    with anywhere.serve(**PATIENT) as running:
        config = {"topics": [RULE]}
        made = await remote.make(running, components=["sink"], config=config)
        port, path = str(urlsplit(running.url).port), made["id"]
        async with Member(running.url, made["session_token"], "sink", [everything]) as sink:
            await remote.order(running, path, "start?wait=20")
            await sink.runs()
            feed = Feed(running, path)
            await asyncio.to_thread(feed.until_killed)
            with anywhere.serve("--port", port, **PATIENT) as again:
                kept, epoch = await exported(again, path)
                # Where others could live, the lease of the killed one has to run out.
                await until(lambda: published(again, path, range(1001, 1021)), seconds=60)
                await until(lambda: (held(sink)[0] or [(0, 0)])[-1][1] == 1020, seconds=60)
                whole, after = await exported(again, path)
                assert_no_traceback(again)

    mine, is_whole = held(sink)
    assert kept == [(number, number) for number in range(1, len(kept) + 1)]
    assert 0 < len(kept) <= feed.acknowledged + 1
    assert after == epoch == sink.records[0].epoch
    assert whole == kept + [(len(kept) + 1 + n, 1001 + n) for n in range(20)]
    assert mine == (whole if is_whole else whole[-len(mine) :])
