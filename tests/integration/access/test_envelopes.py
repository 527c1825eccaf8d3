"""The interfaces whose verbs are in their bodies: the envelopes of 000, the bus of 003, JSON-RPC."""

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from sessions.dialects import daemon
from sessions.dialects.a2a import wire
from sessions.dialects.bus import registry
from tests.integration.access import judging, tally
from tests.integration.access import world as worlds
from tests.integration.access.rules import SAID, Rule
from tests.integration.access.world import Actor, World

pytestmark = [pytest.mark.django_db, pytest.mark.access, pytest.mark.timeout(300)]

KEPT_OUT = re.compile(r"needs the scope|not found|There is no such|not allowed", re.IGNORECASE)
ONE = {"session_id": "<session>"}
PART = {**ONE, "component_id": "<component>"}
SOME = {"sessionId": "<session>"}
TASK = {"id": "<task>"}

ENVELOPES = {
    "SESSION_CREATE": Rule("sessions:write", {"name": "another"}),
    "SESSION_ATTACH": Rule("sessions:control", {**ONE, "components": ["another"]}),
    "SESSION_START": Rule("sessions:control", ONE),
    "SESSION_RESUME": Rule("sessions:control", ONE),
    "SESSION_RESTART": Rule("sessions:control", ONE),
    "SESSION_STOP": Rule("sessions:control", ONE),
    "SESSION_LIST": Rule("sessions:read", {}),
    "SESSION_STATE": Rule("sessions:read", ONE),
    "SESSION_DELETE": Rule("sessions:control", ONE),
    "COMPONENT_LIST": Rule("components:read", ONE),
    "COMPONENT_GET": Rule("components:read", PART),
    "COMPONENT_DESCRIBE": Rule("components:read", PART),
    "HEALTH_CHECK": Rule("sessions:read", {}),
    "HEALTH_CHECK_SESSION": Rule("sessions:read components:read", ONE),
    "HEALTH_CHECK_COMPONENT": Rule("components:read", PART),
}
BUS = {
    ("session", "create"): Rule("sessions:write", {"type": "development", "owner": "a"}),
    ("session", "get"): Rule("sessions:read", SOME),
    ("session", "list"): Rule("sessions:read", {}),
    ("session", "activate"): Rule("sessions:control", SOME),
    ("session", "deactivate"): Rule("sessions:control", SOME),
    ("session", "end"): Rule("sessions:control", SOME),
    ("directory", "get"): Rule("sessions:read", SOME),
    ("artifact", "get"): Rule("sessions:read messages:read", SOME),
    ("chat", "participants"): Rule("sessions:read messages:read", SOME),
    ("chat", "context"): Rule("sessions:read messages:read", SOME),
    ("router", "daemons"): Rule("sessions:read", {}),
    ("router", "context"): Rule("sessions:read messages:read", SOME),
}
RPC = {
    "SendMessage": Rule("messages:write runs:write sessions:write", SAID),
    "SendStreamingMessage": Rule("messages:write runs:write sessions:write", SAID),
    "GetTask": Rule("runs:read", TASK, reach="own"),
    "ListTasks": Rule("runs:read", {}),
    "CancelTask": Rule("runs:read runs:write", TASK, reach="own"),
    "SubscribeToTask": Rule("runs:read", TASK, reach="own"),
    "CreateTaskPushNotificationConfig": Rule(
        "runs:read webhooks:write", {"taskId": "<task>", "url": "https://a.example/"}, reach="own"
    ),
    "GetTaskPushNotificationConfig": Rule(
        "runs:read", {"taskId": "<task>", "id": "<push>"}, reach="own"
    ),
    "ListTaskPushNotificationConfigs": Rule("runs:read", {"taskId": "<task>"}, reach="own"),
    "DeleteTaskPushNotificationConfig": Rule(
        "runs:read webhooks:write", {"taskId": "<task>", "id": "<push>"}, reach="own"
    ),
    "GetExtendedAgentCard": Rule(),
}


@dataclass(frozen=True)
class Verb:
    """A verb in a body, where that is posted to, and whether it changes something."""

    transport: str
    name: str
    address: str
    body: Any
    rule: Rule
    changes: bool

    def __str__(self) -> str:
        return f"{self.transport} {self.name}"

    @property
    def place(self) -> str:
        """The names of what it is about, as a rule looks for them in an address."""
        said = json.dumps(self.rule.body or {})
        kinds = [word for word in ("session", "component", "task") if f"<{word}>" in said]
        agent = ["agent"] if self.transport == "A2A RPC" else []
        return "/".join(f"<str:{one}>" for one in [*agent, *kinds])


def verbs() -> list[Verb]:
    """Every verb that any of them knows."""
    found = [
        Verb(
            "000",
            name,
            "/aegis/commands",
            {"request_id": "r", "command": name, "payload": ENVELOPES[name].body},
            ENVELOPES[name],
            name in daemon.CHANGING,
        )
        for name in daemon.VERBS
        if name in ENVELOPES
    ]
    for one in registry.known().values():
        for type_ in one.messages:
            if rule := BUS.get((one.name, type_)):
                body = {"type": type_, "data": rule.body}
                changes = type_ in one.changes
                name = f"{one.name}.{type_}"
                found.append(Verb("003", name, f"/bus/{one.name}", body, rule, changes))
    for name in wire.OPERATIONS:
        if rule := RPC.get(name):
            body = {"jsonrpc": "2.0", "id": 1, "method": name, "params": rule.body or {}}
            changes = name.startswith(("Send", "Cancel", "Create", "Delete"))
            found.append(Verb("A2A RPC", name, f"/a2a/{worlds.MARK}", body, rule, changes))
    return found


def test_every_verb_has_a_rule():
    on_the_bus = {(one.name, type_) for one in registry.known().values() for type_ in one.messages}

    assert daemon.VERBS.keys() == ENVELOPES.keys()
    assert on_the_bus == BUS.keys()
    assert wire.OPERATIONS.keys() == RPC.keys()


@pytest.mark.parametrize("verb", verbs(), ids=str)
def test_everybody_gets_what_is_theirs(verb: Verb, world: World, record_property: Any):
    leaks: list[str] = []

    for actor in world.actors.values():
        leaks += [f"{actor.name}: {leak}" for leak in tried(verb, actor, world)]

    actors = world.actors
    tally.note(
        record_property, verb=verb.name, transport=verb.transport, actors=actors, leaks=leaks
    )
    assert not leaks, "\n".join(leaks)


def tried(verb: Verb, actor: Actor, world: World) -> list[str]:
    """What is wrong with what one actor is answered, for what is there and for what is not."""
    is_shown = verb.rule.shows(actor, world, verb.place)
    is_served = is_shown and verb.rule.permits(actor)
    with worlds.savepoint(), worlds.writes() as tables:
        status, there = asked(verb, actor, world.ids)
        if is_served:
            return [f"is kept out: {there[:300]}"] if KEPT_OUT.search(there) else []
        found = judging.unchanged(world, tables) + judging.told(world, there)
        found += judging.audited(actor) if verb.changes else []
        if status not in {401, 403, 404} and not KEPT_OUT.search(there):
            found.append(f"is let in: {status} {there[:300]}")
    if not is_shown and not actor.is_anonymous:
        with worlds.savepoint():
            _, nowhere = asked(verb, actor, {**world.ids, **absent(verb)})
        if there != nowhere:
            found.append(f"there {there[:200]!r}, nowhere {nowhere[:200]!r}")
    return found


def asked(verb: Verb, actor: Actor, ids: Any) -> tuple[int, str]:
    """The status, and the answer without the names that the request itself has said."""
    names = {f"<{word}>": str(ids[word]) for word in ("session", "component", "task", "push")}
    sent, address = json.dumps(verb.body), verb.address.replace(worlds.MARK, ids["agent"])
    for word, name in names.items():
        sent = sent.replace(word, name)
    headers = {**actor.headers, "X-Request-ID": "same", "A2A-Version": "1.0"}
    answer = actor.client.post(address, sent, content_type="application/json", headers=headers)
    text = "" if answer.streaming else answer.content.decode()
    for word, name in {**names, "<agent>": ids["agent"]}.items():
        text = text.replace(name, word)
    return answer.status_code, text


def absent(verb: Verb) -> dict[str, str]:
    words = ["task"] if verb.rule.reach == "own" else ["session", "component", "agent"]
    return {word: str(uuid5(NAMESPACE_URL, word)) for word in words}
