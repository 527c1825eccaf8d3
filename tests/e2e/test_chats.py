"""Seed 004's chats over real servers: the answer whole, and as it is spoken."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.e2e.events import Event, Source
from tests.serving import Running, start_server

pytestmark = [pytest.mark.timeout(180), pytest.mark.servers]

SESSIONS = "/api/v1/sessions"


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with start_server("--server", request.param) as running:
        yield running


@pytest.fixture(scope="module")
def web(server: Running) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx2.Client(base_url=server.url, headers=headers, timeout=70, trust_env=False) as found:
        yield found


@pytest.fixture
def session(web: httpx2.Client) -> str:
    made: str = web.post(SESSIONS, json={"agent": "assistant"}).json()["id"]
    return made


def script(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"script": list(steps)}


def streamed(web: httpx2.Client, address: str, body: Any, **headers: str) -> list[Event]:
    """The events that answer a message."""
    source = Source(web, address)
    with web.stream("POST", address, json=body, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        source.headers = dict(answer.headers)
        return list(source.events(answer))


def test_a_message_is_answered(web: httpx2.Client, session: str):
    web.post(f"{SESSIONS}/{session}/chat", json={"content": "My name is Alice"})

    found = web.post(f"{SESSIONS}/{session}/chat", json={"content": "What is my name?"})

    assert found.status_code == 200
    assert found.json()["state"] == "completed"
    assert found.json()["answer"]["content"] == "Your name is Alice."
    assert found.json()["answer"]["run_id"] == found.json()["run_id"]


def test_who_does_not_wait_gets_the_run(web: httpx2.Client, session: str):
    slow = script({"text": "word ", "chunks": 40, "pause_seconds": 0.05})
    body = {"content": "Go", "parameters": slow}

    found = web.post(f"{SESSIONS}/{session}/chat", params={"wait": 0}, json=body)

    assert found.status_code == 202
    assert found.json()["answer"] is None
    told = Source(web, f"/api/v1/runs/{found.json()['run_id']}/stream")
    told.rest()
    assert told.text == "".join(f"word {number} " for number in range(1, 41))


@pytest.mark.parametrize("name", ["chat/stream", "stream"])
def test_an_answer_comes_as_it_is_spoken(web: httpx2.Client, session: str, name: str):
    body = {"content": "Go", "parameters": script({"text": "one two three"})}

    found = streamed(web, f"{SESSIONS}/{session}/{name}", body)

    names = [one.name for one in found]
    assert (names[0], names[-1]) == ("message_start", "message_end")
    assert set(names[1:-1]) == {"content_delta"}
    assert "".join(one.data["delta"] for one in found[1:-1]) == "one two three"
    message = found[0].data["message_id"]
    assert found[-1].data["message_id"] == message
    kept = web.get(f"{SESSIONS}/{session}/messages/{message}").json()
    assert kept["content"] == "one two three"
    usage = found[-1].data["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_who_asks_again_with_the_same_key_follows_the_same_run(web: httpx2.Client, session: str):
    address, body = f"{SESSIONS}/{session}/chat/stream", {"content": "Hello"}

    one, two = (streamed(web, address, body, **{"Idempotency-Key": session}) for _ in range(2))

    assert one[0].data["run_id"] == two[0].data["run_id"]
    assert two[-1].name == "message_end"
    assert len(web.get(f"{SESSIONS}/{session}/messages").json()["data"]) == 2


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "refused"}], ids=["once", "keyed"])
def test_what_cannot_be_said_is_refused_in_json(
    web: httpx2.Client, session: str, headers: dict[str, str]
):
    answer = web.post(f"{SESSIONS}/{session}/chat/stream", json={"content": ""}, headers=headers)

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["code"] == "INVALID_MESSAGE"


@pytest.fixture(scope="module")
def gated(web: httpx2.Client) -> str:
    """An agent that may not do by itself what it can."""
    body = {"slug": "gated", "name": "Gated", "model": "scripted:assistant", "tools": ["pause_*"]}
    answer = web.post("/api/v1/agents", json=body)
    assert answer.status_code == 201, answer.text
    return "gated"


def test_a_task_that_waits_for_somebody_says_so_and_goes_on_when_they_decided(
    web: httpx2.Client, gated: str
):
    asks = {"text": "Let me.", "tools": [{"tool": "pause_session", "arguments": {"reason": "x"}}]}
    parameters = script(asks, {"text": "As you wish."})
    order = {"input": {"content": "Pause."}, "parameters": parameters}

    waits = web.post(f"/agents/{gated}/tasks", json=order)

    told = waits.json()
    assert (waits.status_code, told["status"], told["aegisState"]) == (202, "running", "waiting")
    assert told["metadata"]["waitingFor"] == "approval"
    source = Source(web, f"/api/v1/runs/{told['taskId']}/stream")
    with source.opened() as events:
        asked = next(event for event in events if event.name == "approval_required")
        approval = asked.data["approval_request_id"]
        decided = web.post(
            f"/api/v1/approvals/{approval}/decide", json={"approved": False, "reason": "No."}
        )
        assert decided.status_code == 200, decided.text
        rest = list(events)
    assert [one.data["status"] for one in rest if one.name == "tool_result"] == ["rejected"]
    assert rest[-1].name == "message_end"
    assert source.text.endswith("As you wish.")


def test_a_cancelled_run_ends_its_stream(web: httpx2.Client, session: str):
    slow = script({"text": "word ", "chunks": 400, "pause_seconds": 0.05})
    said = web.post(
        f"{SESSIONS}/{session}/chat",
        params={"wait": 0},
        json={"content": "Go", "parameters": slow},
    )
    run = said.json()["run_id"]
    source = Source(web, f"/api/v1/runs/{run}/stream")

    with source.opened() as events:
        next(event for event in events if event.name == "content_delta")
        assert web.post(f"/api/v1/runs/{run}/cancel", json={}).status_code == 200
        last = list(events)[-1]

    assert (last.name, last.data["state"]) == ("message_end", "cancelled")
