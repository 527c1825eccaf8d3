"""Topics over HTTP and at the command line, beside a running server."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from django.core.management import CommandError, call_command

from tests import threads
from tests.serving import ROOT, Running, start_server

pytestmark = [
    pytest.mark.timeout(180),
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

SESSIONS = "/api/v1/sessions"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with start_server() as running:
        yield running


@pytest.fixture(scope="module")
def web(server: Running) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx2.Client(base_url=server.url, headers=headers, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
def session(web: httpx2.Client) -> str:
    made: str = web.post(SESSIONS, json={"context": {}}).json()["id"]
    return made


def publish(web: httpx2.Client, session: str, *data: Any, topic: str = "klines") -> Any:
    records = [{"data": one} for one in data]
    answer = web.post(f"{SESSIONS}/{session}/topics/{topic}", json={"records": records})
    assert answer.status_code == 201, answer.text
    return answer.json()


def read(web: httpx2.Client, session: str, topic: str = "klines", **query: Any) -> Any:
    return web.get(f"{SESSIONS}/{session}/topics/{topic}", params=query).json()


def aegis(server: Running, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", "aegis", *arguments],
        cwd=ROOT,
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_published_is_read_page_by_page(web: httpx2.Client, session: str):
    published = publish(web, session, {"a": 1}, [2], "three", None)

    first = read(web, session, limit=3)
    second = read(web, session, after=first["next"])
    third = read(web, session, after=second["next"])

    assert (published["first"], published["last"]) == (1, 4)
    assert [(one["seq"], one["data"]) for one in first["data"]] == [
        (1, {"a": 1}),
        (2, [2]),
        (3, "three"),
    ]
    assert [one["data"] for one in second["data"]] == [None]
    assert second["next"] == third["next"] == published["position"]
    assert (third["data"], third["notice"], third["head"]) == ([], None, 4)


def test_a_time_may_be_given_and_is_else_the_servers(web: httpx2.Client, session: str):
    records = [{"data": 1, "ts": 5}, {"data": 2}]
    web.post(f"{SESSIONS}/{session}/topics/a", json={"records": records})

    first, second = read(web, session, "a")["data"]

    assert first["ts"] == 5
    assert second["ts"] > 1_600_000_000_000


def test_a_page_can_begin_elsewhere(web: httpx2.Client, session: str):
    publish(web, session, *range(10))

    assert [one["seq"] for one in read(web, session, start="latest-2")["data"]] == [9, 10]
    assert [one["seq"] for one in read(web, session, start="seq:8")["data"]] == [8, 9, 10]
    assert read(web, session, start="latest")["data"] == []


def test_a_position_that_proves_nothing_is_told(web: httpx2.Client, session: str):
    publish(web, session, 1)

    page = read(web, session, after=f"{'0' * 16}:7:{'f' * 16}")

    assert page["notice"]["kind"] == "unknown"
    assert [one["seq"] for one in page["data"]] == [1]


def test_a_reader_can_wait_for_the_next_record(web: httpx2.Client, session: str):
    at = publish(web, session, 1)["position"]

    with threads.beside(lambda: read(web, session, after=at, wait=20)) as answer:
        publish(web, session, 2)
        page = answer()

    assert [one["data"] for one in page["data"]] == [2]


def test_a_wait_for_nothing_ends(web: httpx2.Client, session: str):
    at = publish(web, session, 1)["position"]

    page = read(web, session, after=at, wait=0.05)

    assert (page["data"], page["next"]) == ([], at)


def test_the_ledger_is_read_like_any_topic(web: httpx2.Client, session: str):
    web.post(f"{SESSIONS}/{session}/start")

    events = [one["data"]["type"] for one in read(web, session, "ledger")["data"]]

    assert events == ["session.created", "session.activated"]


def test_a_publish_with_a_key_is_carried_out_once(web: httpx2.Client, session: str):
    address, key = f"{SESSIONS}/{session}/topics/klines", {"Idempotency-Key": session}

    first = web.post(address, json={"records": [{"data": 1}]}, headers=key)
    second = web.post(address, json={"records": [{"data": 1}]}, headers=key)

    assert second.json() == first.json()
    assert read(web, session)["head"] == 1


def test_a_topic_that_is_not_there_is_not_found(web: httpx2.Client, session: str):
    answer = web.get(f"{SESSIONS}/{session}/topics/none")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "TOPIC_NOT_FOUND")


def test_open_topics_are_listed_with_live_numbers(web: httpx2.Client, session: str):
    publish(web, session, 1, 2)

    topics = web.get(f"{SESSIONS}/{session}/topics").json()["data"]

    assert [one["name"] for one in topics] == ["klines", "ledger"]
    assert (topics[0]["head"], topics[0]["live"]["records"]) == (2, 2)


def test_a_body_of_unsaid_length_is_read(web: httpx2.Client):
    def pieces() -> Iterator[bytes]:
        yield b'{"na'
        yield b'me": "chunked"}'

    made = web.post(SESSIONS, content=pieces(), headers={"Content-Type": "application/json"})

    assert made.json()["name"] == "chunked"


def test_a_body_beyond_the_limit_is_refused(web: httpx2.Client):
    body = b'{"name": "' + b"x" * (3 * 1024 * 1024) + b'"}'

    answer = web.post(SESSIONS, content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


# The command line beside the server


def test_a_topic_is_tailed_at_the_command_line(server: Running, web: httpx2.Client, session: str):
    publish(web, session, {"a": 1}, 2)

    told = aegis(
        server,
        *("topic", "tail", "klines", "--session", session[:8]),
        *("--from", "earliest", "--count", "2", "--json"),
    )

    assert (told.returncode, told.stderr) == (0, "")
    assert [json.loads(line)["data"] for line in told.stdout.splitlines()] == [{"a": 1}, 2]


@pytest.fixture
def far(server: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """The command line in this process, which knows of the server what its address says alone."""
    monkeypatch.setenv("AEGIS_SERVER", server.url)
    monkeypatch.setenv("AEGIS_TOKEN", server.token)

    def run(*words: str) -> tuple[int, str, str]:
        code = 0
        try:
            call_command("aegis", *words)
        except CommandError as error:
            code = error.returncode
        return (code, *capsys.readouterr())

    return run


def test_topics_are_listed_and_tailed_at_another_server(far, session: str):
    far("topic", "publish", "prices", '{"a": 1}', "--session", session, "--count", "3")

    listed = json.loads(far("topic", "list", "--session", session, "--json")[1])
    told = far("topic", "publish", "prices", "2", "--session", session, "--json")
    info = json.loads(far("topic", "info", "prices", "--session", session, "--json")[1])
    tail = ("topic", "tail", "prices", "--session", session, "--from", "earliest", "--json")
    lines = far(*tail, "--count", "4")[1].splitlines()

    assert listed["schema"] == "aegis.topic.list/1"
    assert [one["name"] for one in listed["data"]] == ["ledger", "prices"]
    assert json.loads(told[1])["data"]["last"] == 4
    assert (info["data"]["head"], info["data"]["readers"]) == (4, [])
    assert [json.loads(line)["data"] for line in lines] == [{"a": 1}] * 3 + [2]


def test_a_topic_that_is_not_there_is_told_at_the_command_line(far, session: str):
    code, out, err = far("topic", "tail", "none", "--session", session, "--count", "1")

    assert (code, out) == (3, "")
    assert err.startswith("error: TOPIC_NOT_FOUND: ")


def test_events_are_followed_at_another_server_until_the_session_is_closed(
    far, web: httpx2.Client, session: str
):
    with threads.beside(lambda: web.post(f"{SESSIONS}/{session}/end")):
        code, out, err = far("session", "watch", session)

    assert (code, err) == (0, "")
    assert [line.split()[2] for line in out.splitlines()] == ["session.created", "session.ended"]


def test_a_lever_in_another_process_moves_the_servers_session(
    server: Running, web: httpx2.Client, session: str
):
    web.post(f"{SESSIONS}/{session}/start")
    ledger = f"{SESSIONS}/{session}/topics/ledger"
    at = web.get(ledger).json()["next"]

    with threads.beside(lambda: web.get(ledger, params={"after": at, "wait": 20}).json()) as answer:
        told = aegis(server, "session", "pause", session)
        page = answer()

    assert (told.returncode, told.stderr) == (0, "")
    assert [one["data"]["type"] for one in page["data"]] == ["session.suspended"]
    assert web.get(f"{SESSIONS}/{session}").json()["state"] == "paused"


def test_without_a_server_topics_are_out_of_reach(server: Running, tmp_path):
    environment = {**server.environment, "AEGIS_HOME": str(tmp_path)}

    told = subprocess.run(
        [sys.executable, "manage.py", "aegis", "topic", "list"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (told.returncode, told.stdout) == (8, "")
    assert "next: aegis serve" in told.stderr
