"""Server-sent events over real servers: ledgers, topics and runs, cut and gone on with."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.e2e import scribe
from tests.e2e.events import Source
from tests.e2e.scribe import Scribe
from tests.serving import Running, start_server

pytestmark = [pytest.mark.timeout(180), pytest.mark.servers]

SESSIONS = "/api/v1/sessions"


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with start_server("--server", request.param) as running:
        yield running


@pytest.fixture(scope="module")
def web(server: Running) -> Iterator[httpx2.Client]:
    with client(server) as found:
        yield found


@pytest.fixture(scope="module")
def writer(server: Running) -> Iterator[Scribe]:
    with scribe.beside(server) as found:
        yield found


def client(server: Running) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {server.token}"}
    return httpx2.Client(base_url=server.url, headers=headers, timeout=30, trust_env=False)


@pytest.fixture
def session(web: httpx2.Client) -> str:
    made: str = web.post(SESSIONS, json={"agent": "assistant"}).json()["id"]
    return made


def of_run(web: httpx2.Client, run: str) -> Source:
    return Source(web, f"/api/v1/runs/{run}/stream")


def test_a_run_is_heard_from_its_first_word_to_its_end(
    web: httpx2.Client, writer: Scribe, session: str
):
    run = writer.begin(session)
    source = of_run(web, run)
    found = []

    with source.opened() as events:
        found.append(next(events))
        for word in ("Quantum", " computing"):
            writer.say(run, word)
            found.append(next(events))
        writer.end(run)
        found += list(events)

    assert [(one.id, one.name) for one in found] == [
        ("1", "message_start"),
        ("2", "content_delta"),
        ("3", "content_delta"),
        ("4", "message_end"),
    ]
    assert source.text == "Quantum computing"
    assert found[-1].data["usage"]["total_tokens"] == 7
    assert source.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert source.headers["cache-control"] == "no-cache, no-transform"
    assert source.headers["x-accel-buffering"] == "no"


def test_who_comes_late_gets_the_text_so_far_in_one_piece_and_then_goes_on(
    web: httpx2.Client, writer: Scribe, session: str
):
    run = writer.begin(session)
    writer.say(run, "one ", "two ", "three ")
    source = of_run(web, run)

    with source.opened() as events:
        told = [next(events), next(events)]
        writer.say(run, "four")
        told.append(next(events))

    assert [(one.id, one.data.get("delta")) for one in told] == [
        ("1", None),
        ("4", "one two three "),
        ("5", "four"),
    ]


def test_who_is_cut_again_and_again_gets_every_later_event_once(
    web: httpx2.Client, writer: Scribe, session: str
):
    run = writer.begin(session)
    source = of_run(web, run)
    source.last = "1"
    words = [f"{number} " for number in range(60)]

    for some in _batched(words, 7):
        writer.say(run, *some)
        with source.opened() as events:
            # Less than there is: the rest is for the next connection.
            for _ in range(5):
                next(events)
    writer.end(run)
    source.rest()

    assert [int(one.id) for one in source.got] == list(range(2, 63))
    assert source.text == "".join(words)


def _batched(words: list[str], size: int) -> list[list[str]]:
    return [words[place : place + size] for place in range(0, len(words), size)]


def test_a_new_attempt_says_so_and_no_text_of_two_is_mixed(
    web: httpx2.Client, writer: Scribe, session: str
):
    run = writer.begin(session)
    early = of_run(web, run)

    with early.opened() as events:
        next(events)
        kept = writer.say(run, "kept ")
        writer.say(run, "lost")
        writer.again(run, keeps=kept)
        writer.say(run, "found")
        writer.end(run)
        list(events)
    late = of_run(web, run)
    late.rest()

    starts = [one.data for one in early.got if one.name == "message_start"]
    assert [(one["attempt"], one["keeps"]) for one in starts] == [(1, 0), (2, kept)]
    assert (early.text, late.text) == ("kept found", "kept found")


def test_where_nothing_is_left_to_come_a_browser_is_told_to_stay_away(
    web: httpx2.Client, writer: Scribe, session: str
):
    run = writer.begin(session)
    last = writer.end(run)

    answer = web.get(f"/api/v1/runs/{run}/stream", params={"after": str(last)})

    assert (answer.status_code, answer.content) == (204, b"")


def test_a_ledger_comes_as_it_is_written_and_ends_with_its_session(
    web: httpx2.Client, session: str
):
    source = Source(web, f"{SESSIONS}/{session}/events")

    first = source.read(until="session.created")
    web.post(f"{SESSIONS}/{session}/start")
    second = source.read(until="session.activated")
    web.post(f"{SESSIONS}/{session}/end")
    source.rest()

    assert [one.id for one in first + second] == ["1", "2"]
    assert [int(one.id) for one in source.got] == list(range(1, len(source.got) + 1))
    assert "session.ended" in {one.name for one in source.got}
    page = web.get(f"{SESSIONS}/{session}/events").json()["data"]
    assert [one.data for one in source.got] == page
    again = web.get(
        source.address, headers={"Accept": "text/event-stream", "Last-Event-ID": source.last}
    )
    assert again.status_code == 204


def test_a_topic_comes_as_it_is_published_and_its_ids_are_positions(
    web: httpx2.Client, session: str
):
    source = Source(web, f"{SESSIONS}/{session}/topics/prices")
    publish(web, session, 1, 2)

    with source.opened() as events:
        told = [next(events), next(events)]
        publish(web, session, {"a": 3})
        told.append(next(events))
    publish(web, session, 4)
    with source.opened() as events:
        told.append(next(events))

    assert [(one.name, one.data["seq"], one.data["data"]) for one in told] == [
        ("record", 1, 1),
        ("record", 2, 2),
        ("record", 3, {"a": 3}),
        ("record", 4, 4),
    ]
    topic = web.get(f"{SESSIONS}/{session}/topics/prices").json()
    assert source.last == topic["next"]


def test_a_position_that_proves_nothing_is_told_before_the_records(
    web: httpx2.Client, session: str
):
    publish(web, session, 1)
    source = Source(web, f"{SESSIONS}/{session}/topics/prices", last=f"{'f' * 16}:7:{'0' * 16}")

    with source.opened() as events:
        told = [next(events), next(events)]

    assert [(one.name, one.data.get("reason")) for one in told] == [
        ("unknown", "epoch"),
        ("record", None),
    ]


def publish(web: httpx2.Client, session: str, *data: object) -> None:
    records = [{"data": one} for one in data]
    answer = web.post(f"{SESSIONS}/{session}/topics/prices", json={"records": records})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/runs/{none}/stream",
        f"{SESSIONS}/{{none}}/events",
        f"{SESSIONS}/{{session}}/topics/x",
    ],
)
def test_what_is_not_there_is_refused_in_json(web: httpx2.Client, session: str, address: str):
    address = address.format(none="00000000-0000-0000-0000-000000000000", session=session)

    answer = web.get(address, headers={"Accept": "text/event-stream"})

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["error"]["code"].endswith("_NOT_FOUND")


def test_nobody_gets_nothing(server: Running, writer: Scribe, session: str):
    run = writer.begin(session)

    for address in (f"/api/v1/runs/{run}/stream", f"{SESSIONS}/{session}/events"):
        answer = httpx2.get(
            server.url + address, headers={"Accept": "text/event-stream"}, trust_env=False
        )
        assert answer.status_code == 401


def test_who_loses_the_right_has_no_more_of_it(web: httpx2.Client, server: Running, session: str):
    made = web.post(
        "/api/v1/credentials", json={"name": "reader", "scopes": ["events:read"]}
    ).json()
    headers = {"Authorization": f"Bearer {made['secret']}"}
    with httpx2.Client(base_url=server.url, headers=headers, timeout=30, trust_env=False) as other:
        source = Source(other, f"{SESSIONS}/{session}/events")

        with source.opened() as events:
            next(events)
            revoked = web.delete(f"/api/v1/credentials/{made['credential']['id']}")
            assert revoked.status_code < 300, revoked.text

            assert list(events) == []
