from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from a2a.types import a2a_pb2 as types
from google.protobuf.json_format import ParseDict

from components.core.scopes import SCOPES
from components.services import credentials
from sessions.models import Agent, Approval, Run, Session, Webhook
from sessions.selectors import webhooks
from sessions.services import deliveries, steps, working
from sessions.services import run_log as logs
from sessions.services.steps import Step
from tests import factories
from tests.calling import SYSTEM, Caller, caller
from tests.integration.sessions import tools_help
from tests.integration.sessions import working_help as help_
from tests.integration.sessions.a2a_help import BINDINGS, Client, said

pytestmark = [pytest.mark.dialects, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=BINDINGS)
def client(request: pytest.FixtureRequest, program: Caller) -> Client:
    help_.agent()
    return Client(program, request.param)


def work(*texts: str, tokens: int = 3) -> Run:
    """Let the run that waits say this, and be done."""
    held = help_.claimed()
    logs.write(held.run_id, fence=held.fence, entries=[help_.text(one) for one in texts])
    answer = Step("".join(texts), "m", tokens, tokens, Decimal(0), 0.1)
    steps.record(run_id=held.run_id, fence=held.fence, step=answer, specs=[])
    return Run.objects.get(pk=held.run_id)


def test_a_message_makes_a_task_in_a_session_of_its_own(client: Client):
    task = client.send("Hello", contextId="talk")

    run = Run.objects.get(pk=task["id"])
    session = Session.objects.get(pk=run.session_id)
    message = said("Hello", contextId="talk", taskId=task["id"])
    assert (session.key, session.agent, session.kind) == ("talk", "scribe", "chat")
    assert task == {
        "id": str(run.pk),
        "contextId": "talk",
        "status": {"state": "TASK_STATE_SUBMITTED", "timestamp": task["status"]["timestamp"]},
        "history": [message],
        "metadata": {"aegisState": "queued", "sessionId": str(session.pk)},
    }


def test_a_task_that_is_done_has_its_answer_as_an_artifact(client: Client):
    task = client.send("Hello")
    run = work("Good ", "day.")

    found = client.get("GetTask", id=task["id"])

    part = {"text": "Good day.", "mediaType": "text/plain"}
    assert found["artifacts"] == [{"artifactId": "answer-1", "name": "answer", "parts": [part]}]
    assert found["status"]["state"] == "TASK_STATE_COMPLETED"
    assert found["contextId"] == str(run.session_id)
    assert ParseDict(found, types.Task()).id == task["id"]


def test_a_second_message_of_a_context_is_another_task_of_the_same_session(client: Client):
    first = client.send("Hello")
    second = client.send("Again", contextId=first["contextId"])

    assert first["id"] != second["id"]
    assert Session.objects.count() == 1


@pytest.mark.parametrize(("length", "count"), [(None, 1), (0, 0), (1, 1), (5, 1)])
def test_history_is_as_long_as_asked(client: Client, length: int | None, count: int):
    task = client.send("Hello")
    asked = {} if length is None else {"historyLength": length}

    found = client.get("GetTask", id=task["id"], **asked)

    assert len(found.get("history", [])) == count


def test_parts_of_all_kinds_are_told_to_the_agent_and_stay_in_the_history(client: Client):
    Agent.objects.update(input_modes=[])
    parts = [
        "Look at this:",
        {"data": {"a": [1, 2.5]}},
        {"url": "https://example.com/x"},
        {"raw": "aGVsbG8=", "filename": "a.txt", "mediaType": "text/plain"},
    ]

    task = client.send(*parts)

    run = Run.objects.get(pk=task["id"])
    assert run.message is not None
    assert run.message.content == 'Look at this:\n\n{"a":[1,2.5]}\n\nhttps://example.com/x'
    attached = run.message.attachments.get()
    kept = task["history"][0]["parts"]
    assert kept[:3] == [{"text": "Look at this:"}, *parts[1:3]]
    address = f"/api/v1/sessions/{run.session_id}/attachments/{attached.pk}/content"
    assert kept[3]["url"] == f"http://testserver{address}"
    assert client.caller.get(address).content == b"hello"


def test_tasks_are_listed_by_pages_the_newest_status_first(client: Client):
    tasks = [client.send(str(number), contextId=f"c-{number}") for number in range(3)]
    work("Done.")

    first = client.get("ListTasks", pageSize=2)
    second = client.get("ListTasks", pageSize=2, pageToken=first["nextPageToken"])

    ids = [one["id"] for one in [*first["tasks"], *second["tasks"]]]
    assert ids == [tasks[0]["id"], tasks[2]["id"], tasks[1]["id"]]
    assert (first["pageSize"], first["totalSize"]) == (2, 3)
    assert second["nextPageToken"] == ""
    assert "artifacts" not in first["tasks"][0]


def test_tasks_are_listed_by_what_is_asked_of_them(client: Client):
    tasks = [client.send(str(number), contextId=f"c-{number}") for number in range(2)]
    work("Done.")
    done = client.get("GetTask", id=tasks[0]["id"])

    def listed(**asked):
        return [one["id"] for one in client.get("ListTasks", **asked)["tasks"]]

    assert listed(contextId="c-1") == [tasks[1]["id"]]
    assert listed(contextId="c-9") == []
    assert listed(status="TASK_STATE_COMPLETED") == [tasks[0]["id"]]
    assert listed(status="TASK_STATE_REJECTED") == []
    assert listed(statusTimestampAfter=done["status"]["timestamp"]) == [tasks[0]["id"]]
    whole = client.get("ListTasks", contextId="c-0", includeArtifacts=True)["tasks"]
    assert whole == [done]


@pytest.mark.parametrize("asked", [{"pageSize": 0}, {"pageSize": 101}, {"pageToken": "x"}])
def test_a_list_that_cannot_be_is_refused(client: Client, asked: dict[str, object]):
    assert client.refused("ListTasks", **asked) == "INVALID_PARAMS"


def test_a_task_is_cancelled_once(client: Client):
    task = client.send("Hello")

    found = client.get("CancelTask", id=task["id"])

    assert found["status"]["state"] == "TASK_STATE_CANCELED"
    assert client.refused("CancelTask", id=task["id"]) == "TASK_NOT_CANCELABLE"


def test_a_task_that_is_over_takes_no_message(client: Client):
    task = client.send("Hello")
    work("Done.")

    again = {"message": said("More", taskId=task["id"])}

    assert client.refused("SendMessage", **again) == "UNSUPPORTED_OPERATION"
    assert client.refused("SubscribeToTask", id=task["id"]) in {
        "UNSUPPORTED_OPERATION",
        "SERVICE_UNAVAILABLE",
    }


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"taskId": "00000000-0000-0000-0000-000000000000"}, "TASK_NOT_FOUND"),
        ({"taskId": "mine"}, "TASK_NOT_FOUND"),
        ({"contextId": "not a key"}, "INVALID_PARAMS"),
        ({"role": "ROLE_AGENT"}, "INVALID_PARAMS"),
        ({"parts": []}, "INVALID_PARAMS"),
        ({"messageId": ""}, "INVALID_PARAMS"),
        ({"parts": [{"text": "x", "mediaType": "video/mp4"}]}, "CONTENT_TYPE_NOT_SUPPORTED"),
        ({"parts": [{"text": "a\x00b"}]}, "INVALID_PARAMS"),
    ],
)
def test_a_message_that_cannot_be_is_refused(client: Client, message: dict[str, Any], reason: str):
    Agent.objects.update(input_modes=["text/plain"])

    assert client.refused("SendMessage", message={**said("Hello"), **message}) == reason
    assert Run.objects.count() == 0


def test_a_task_of_another_context_is_refused(client: Client):
    task = client.send("Hello")

    message = said("More", taskId=task["id"], contextId="elsewhere")

    assert client.refused("SendMessage", message=message) == "INVALID_PARAMS"


def test_a_context_of_another_agent_is_refused(client: Client):
    help_.agent("other")
    context = Client(client.caller, client.binding, agent="other").send("Hello")["contextId"]

    message = said("Hello", contextId=context)

    assert client.refused("SendMessage", message=message) == "INVALID_PARAMS"


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("SendMessage", lambda task: {"message": said("More", taskId=task)}),
        ("GetTask", lambda task: {"id": task}),
        ("CancelTask", lambda task: {"id": task}),
        ("SubscribeToTask", lambda task: {"id": task}),
        ("CreateTaskPushNotificationConfig", lambda task: {"taskId": task, **CONFIG}),
        ("ListTaskPushNotificationConfigs", lambda task: {"taskId": task}),
        ("GetTaskPushNotificationConfig", lambda task: {"taskId": task, "id": "c-1"}),
        ("DeleteTaskPushNotificationConfig", lambda task: {"taskId": task, "id": "c-1"}),
    ],
)
def test_only_the_callers_tasks_exist(client: Client, name: str, asked: Any):
    task = client.send("Hello")["id"]
    client.get("CreateTaskPushNotificationConfig", taskId=task, **CONFIG)
    help_.agent("other")
    colleague = Client(caller_named("colleague"), client.binding)
    stranger = Client(caller(team="elsewhere"), client.binding)
    elsewhere = Client(client.caller, client.binding, agent="other")

    found = [one.refused(name, **asked(task)) for one in (colleague, stranger, elsewhere)]

    assert found == ["TASK_NOT_FOUND"] * 3
    assert len(client.get("ListTaskPushNotificationConfigs", taskId=task)["configs"]) == 1
    assert [one.get("ListTasks")["tasks"] for one in (colleague, stranger, elsewhere)] == [[]] * 3


def caller_named(name: str) -> Caller:
    """Another program of the same team."""
    issued = credentials.issue(
        principal=SYSTEM, name=name, scopes=sorted(SCOPES), team_id=factories.team("default").pk
    )
    return Caller(issued.secret)


@pytest.mark.parametrize("version", ["", "0.3", "1.1", "2.0", "x"])
def test_another_version_is_not_spoken(client: Client, version: str):
    client.headers = {"a2a_version": version}

    assert client.refused("ListTasks") == "VERSION_NOT_SUPPORTED"


@pytest.mark.parametrize("version", ["1.0", "1.0.1"])
def test_patches_of_a_version_are_one(client: Client, version: str):
    client.headers = {"a2a_version": version}

    assert client.get("ListTasks")["tasks"] == []


@pytest.mark.parametrize(("version", "status"), [("1.0", 200), ("0.3", 400)])
def test_the_version_may_stand_in_the_address(program: Caller, version: str, status: int):
    help_.agent()

    assert program.get(f"/a2a/scribe/tasks?A2A-Version={version}").status_code == status


def test_a_subscription_may_be_read(program: Caller):
    client = Client(program, "HTTP+JSON")
    help_.agent()
    task = client.send("Hello")["id"]
    work("Done.")

    answer = program.get(f"/a2a/scribe/tasks/{task}:subscribe", a2a_version="1.0")

    reason = answer.json()["error"]["details"][0]["reason"]
    assert (answer.status_code, reason) == (400, "UNSUPPORTED_OPERATION")


def test_what_nobody_knows_is_left_out(client: Client):
    assert client.get("ListTasks", invented={"a": 1}, pageSize=5)["pageSize"] == 5


def test_an_extension_that_is_required_is_enforced(client: Client):
    spoken = [{"uri": "urn:x:1", "required": True}, {"uri": "urn:x:2"}]
    Agent.objects.update(settings={"extensions": spoken})

    assert client.refused("ListTasks") == "EXTENSION_SUPPORT_REQUIRED"
    client.headers["a2a_extensions"] = "urn:x:1, urn:x:9"
    answer = client.ask("ListTasks")
    assert answer.headers["A2A-Extensions"] == "urn:x:1"


def test_nobody_learns_anything_without_credentials(client: Client):
    client.caller = Caller()

    answer = client.ask("ListTasks")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="aegis"'
    assert client.refused("ListTasks") == "NOT_AUTHENTICATED"


def test_who_may_not_is_told_so(client: Client):
    client.caller = caller(["runs:read"])

    assert client.refused("SendMessage", message=said("Hello")) == "PERMISSION_DENIED"


def test_an_agent_that_is_not_there_is_not_found(client: Client):
    client.agent = "nobody"

    assert client.ask("ListTasks").status_code == 404
    assert client.refused("ListTasks") == "AGENT_NOT_FOUND"


def test_a_key_is_good_for_one_task(client: Client):
    client.headers["idempotency_key"] = "k"

    first, second = client.send("Hello"), client.send("Hello")

    assert first == second
    assert Run.objects.count() == 1


def test_an_answer_decides_what_a_task_waits_for(client: Client):
    task = client.send("Delete it.")
    asked = waiting(task["id"])
    found = client.get("GetTask", id=task["id"])

    answered = client.send("approve", taskId=task["id"], messageId="m-2")

    assert found["status"]["state"] == "TASK_STATE_INPUT_REQUIRED"
    data = found["status"]["message"]["parts"][1]["data"]
    assert [one["approval"] for one in data["approvals"]] == [str(asked.pk)]
    asked.refresh_from_db()
    assert (asked.state, asked.transport) == ("approved", "a2a")
    assert answered["status"]["state"] == "TASK_STATE_WORKING"
    ids = [one["messageId"] for one in answered["history"]]
    assert ids == ["m-1", found["status"]["message"]["messageId"], "m-2"]


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"text": "perhaps"}, "INVALID_PARAMS"),
        ({"data": {"approved": True, "approval": "x"}}, "INVALID_PARAMS"),
    ],
)
def test_an_answer_that_decides_nothing_is_refused(
    client: Client, part: dict[str, Any], reason: str
):
    task = client.send("Delete it.")
    asked = waiting(task["id"])

    message = said(part, taskId=task["id"])

    assert client.refused("SendMessage", message=message) == reason
    asked.refresh_from_db()
    assert asked.state == "pending"


def waiting(task: str, held: working.Claimed | None = None) -> Approval:
    """The decision that a task now waits for."""
    held = held or help_.claimed()
    request = tools_help.asked("order", {"count": 1})
    step = Step("", "m", 1, 1, Decimal(0), 0.1, requests=[request])
    steps.record(run_id=held.run_id, fence=held.fence, step=step, specs=tools_help.SPECS)
    working.wait(run_id=held.run_id, fence=held.fence, seconds=0.1)
    return Approval.objects.get(run=UUID(task))


# Cards


def test_a_card_says_where_an_agent_is_and_may_be_kept():
    help_.agent(description="Writes.", skills=[{"id": "write", "name": "Write", "tags": ["t"]}])

    answer = Caller().get("/a2a/scribe/.well-known/agent-card.json")

    card = answer.json()
    assert [(one["protocolBinding"], one["url"]) for one in card["supportedInterfaces"]] == [
        ("JSONRPC", "http://testserver/a2a/scribe"),
        ("HTTP+JSON", "http://testserver/a2a/scribe"),
    ]
    assert ParseDict(card, types.AgentCard()).skills[0].name == "Write"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    again = Caller().get(
        "/a2a/scribe/.well-known/agent-card.json", if_none_match=answer.headers["ETag"]
    )
    assert (again.status_code, again.content) == (304, b"")
    Agent.objects.update(description="Reads.")
    changed = Caller().get(
        "/a2a/scribe/.well-known/agent-card.json", if_none_match=answer.headers["ETag"]
    )
    assert changed.json()["description"] == "Reads."


def test_the_servers_own_card_is_that_of_the_assistant():
    card = Caller().get("/.well-known/agent-card.json").json()

    assert card["name"] == "Assistant"


@pytest.mark.parametrize(
    ("visibility", "seen"),
    [
        ("public", [200, 200, 200]),
        ("internal", [404, 200, 200]),
        ("private", [404, 404, 200]),
    ],
)
def test_a_card_is_seen_by_whom_the_agent_is_for(visibility: str, seen: list[int]):
    program = caller()
    help_.agent(visibility=visibility, team=factories.team("default"))

    answers = [
        one.get("/a2a/scribe/.well-known/agent-card.json")
        for one in (Caller(), caller(team="elsewhere"), program)
    ]

    assert [one.status_code for one in answers] == seen
    keeper = "public, max-age=300" if visibility == "public" else "private, max-age=60"
    assert answers[2].headers["Cache-Control"] == keeper


def test_the_extended_card_tells_of_tools(client: Client):
    Agent.objects.update(tools=["memory_*"])

    skills = client.get("GetExtendedAgentCard")["skills"]

    assert [one["id"] for one in skills] == ["scribe", "tool:memory_*"]


# JSON-RPC


@pytest.mark.parametrize(
    ("body", "code", "id_"),
    [
        (b"{", -32700, None),
        (b"[]", -32600, None),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "GetTask"}', -32600, 1),
        (b'{"jsonrpc": "2.0", "id": true, "method": "GetTask"}', -32600, None),
        (b'{"jsonrpc": "2.0", "id": 1}', -32600, 1),
        (b'{"jsonrpc": "2.0", "id": "x", "method": "Get"}', -32601, "x"),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": []}', -32602, 1),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": 5}}', -32602, 1),
    ],
)
def test_what_is_no_request_is_told_by_its_code(program: Caller, body: bytes, code: int, id_: Any):
    help_.agent()

    answer = program.post("/a2a/scribe", body, a2a_version="1.0")

    assert (answer.status_code, answer.json()["error"]["code"]) == (200, code)
    assert answer.json()["id"] == id_


@pytest.mark.parametrize(
    ("path", "status", "number"), [("/message:send", 400, 400), ("", 200, -32005)]
)
def test_a_body_has_to_say_that_it_is_json(program: Caller, path: str, status: int, number: int):
    help_.agent()

    answer = program.post(f"/a2a/scribe{path}", b"x=1", content_type="text/csv", a2a_version="1.0")

    error = answer.json()["error"]
    details = error["details" if path else "data"]
    assert (answer.status_code, error["code"]) == (status, number)
    assert details[0]["reason"] == "CONTENT_TYPE_NOT_SUPPORTED"


# Push notifications

CONFIG: dict[str, Any] = {
    "id": "c-1",
    "url": "https://example.com/hook",
    "token": "secret",
    "authentication": {"scheme": "Bearer", "credentials": "more"},
}


def test_an_address_of_a_task_is_given_read_and_taken_back(client: Client):
    task = client.send("Hello")["id"]

    given = client.get("CreateTaskPushNotificationConfig", taskId=task, **CONFIG)
    found = client.get("GetTaskPushNotificationConfig", taskId=task, id="c-1")
    listed = client.get("ListTaskPushNotificationConfigs", taskId=task)
    for _ in range(2):
        assert not client.get("DeleteTaskPushNotificationConfig", taskId=task, id="c-1")

    shown = {"id": "c-1", "taskId": task, "url": CONFIG["url"]}
    assert given == {**CONFIG, "taskId": task}
    assert found == {**shown, "authentication": {"scheme": "Bearer"}}
    assert listed == {"configs": [found]}
    assert not client.get("ListTaskPushNotificationConfigs", taskId=task)
    reason = client.refused("GetTaskPushNotificationConfig", taskId=task, id="c-1")
    assert reason == "TASK_NOT_FOUND"
    assert Webhook.objects.count() == 0


def test_an_address_that_cannot_be_is_refused_before_there_is_a_task(client: Client):
    configuration = {"taskPushNotificationConfig": {"url": "ftp://x"}}

    refused = client.refused("SendMessage", message=said("Hi"), configuration=configuration)

    assert refused == "INVALID_PARAMS"
    assert Run.objects.count() == 0


def test_who_may_not_name_addresses_is_told_so(client: Client):
    client.caller = caller(sorted(SCOPES - {"webhooks:write"}))
    task = client.send("Hello")["id"]

    reason = client.refused("CreateTaskPushNotificationConfig", taskId=task, **CONFIG)

    assert reason == "PERMISSION_DENIED"


def test_addresses_of_tasks_are_no_webhooks_of_the_team(client: Client):
    task = client.send("Hello")["id"]
    client.get("CreateTaskPushNotificationConfig", taskId=task, **CONFIG)

    assert client.caller.get("/api/v1/webhooks").json()["data"] == []


def test_an_address_hears_of_its_task_alone_and_of_all_of_it(client: Client):
    configuration = {"taskPushNotificationConfig": CONFIG}
    task = client.send("Hello", configuration=configuration, contextId="c")
    client.send("Another", contextId="c")
    work("Done.")
    work("Done, too.")

    found = sent_to_addresses()

    states = [one["statusUpdate"]["status"]["state"] for one, _ in found[:-1]]
    assert states == ["TASK_STATE_WORKING"]
    last, headers = found[-1]
    whole = client.get("GetTask", id=task["id"])
    assert last["task"] == {**whole, "artifacts": last["task"]["artifacts"]}
    assert last["task"]["artifacts"][0]["parts"][0]["text"] == "Done."
    assert headers == {
        "Content-Type": "application/a2a+json",
        "X-A2A-Notification-Token": "secret",
        "Authorization": "Bearer more",
    }
    assert ParseDict(last, types.StreamResponse()).task.id == task["id"]
    assert not Webhook.objects.get().is_active


def sent_to_addresses() -> list[tuple[Any, Any]]:
    """What is sent to the addresses of tasks until nothing is due, each message with its headers."""
    found, lease = [], factories.lease().pk
    for webhook_id, session_id in webhooks.behind():
        deliveries.note(webhook_id=webhook_id, session_id=session_id)
    while parcels := deliveries.claim(lease_id=lease, limit=1):
        found.append((orjson.loads(parcels[0].body), parcels[0].headers))
        deliveries.sent(parcels[0], lease_id=lease, status=200)
    return found
