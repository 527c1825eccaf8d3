"""Every verb at every address over HTTP, with every actor."""

import json
import re
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from components.services import credentials
from streaming.api import sse
from tests.calling import SYSTEM, Caller
from tests.integration.access import judging, routes, rules, tally
from tests.integration.access import world as worlds
from tests.integration.access.routes import Endpoint
from tests.integration.access.rules import FILE, Rule
from tests.integration.access.world import Actor, World

pytestmark = [pytest.mark.django_db, pytest.mark.access, pytest.mark.timeout(300)]

NAMES = re.compile(r"<(?:\w+:)?(\w+)>")
ENDPOINTS = [
    one
    for one in routes.http()
    if not one.address.startswith("admin/") and one.address not in rules.REDIRECTS
]
RULED = [one for one in ENDPOINTS if f"{one.verb} {one.address}" not in rules.ENVELOPES]
SAFE = {"GET"}
# Some answer a page, or a stream of events to whoever asks for that.
STREAMS = [
    one
    for one in RULED
    if one.verb == "GET" and isinstance(one.view, type) and issubclass(one.view, sse.Streaming)
]


def test_every_endpoint_has_a_rule_and_every_rule_an_endpoint():
    known = {f"{one.verb} {one.address}" for one in ENDPOINTS}

    assert known == rules.HTTP.keys() | rules.ENVELOPES


@pytest.mark.parametrize("endpoint", RULED, ids=str)
def test_everybody_gets_what_is_theirs(endpoint: Endpoint, world: World, record_property: Any):
    rule = rules.HTTP[f"{endpoint.verb} {endpoint.address}"]
    leaks: list[str] = []

    for actor in asking(rule, world):
        leaks += [f"{actor.name}: {leak}" for leak in tried(endpoint, rule, actor, world)]

    tally.note(
        record_property,
        verb=str(endpoint),
        actors=[one.name for one in asking(rule, world)],
        leaks=leaks,
    )
    assert not leaks, "\n".join(leaks)


@pytest.mark.parametrize("endpoint", STREAMS, ids=str)
def test_everybody_gets_events_of_what_is_theirs(
    endpoint: Endpoint, world: World, record_property: Any
):
    rule = rules.HTTP[f"{endpoint.verb} {endpoint.address}"]
    leaks: list[str] = []

    for actor in world.actors.values():
        found = tried(endpoint, rule, actor, world, accept=sse.MEDIA_TYPE)
        leaks += [f"{actor.name}: {leak}" for leak in found]

    tally.note(
        record_property, verb=str(endpoint), actors=world.actors, transport="SSE", leaks=leaks
    )
    assert not leaks, "\n".join(leaks)


def asking(rule: Rule, world: World) -> list[Actor]:
    """Everybody; what is public says the same to all, and takes long to say it."""
    everybody = list(world.actors.values())
    return everybody[:2] if rule.reach == "public" else everybody


def tried(
    endpoint: Endpoint, rule: Rule, actor: Actor, world: World, *, accept: str = ""
) -> list[str]:
    """What is wrong with what one actor is answered, for what is there and for what is not."""
    with worlds.savepoint(), worlds.writes() as tables:
        there, body = asked(endpoint, rule, actor, world.ids, accept=accept)
        found = judged(endpoint, rule, actor, world, there, body)
        if is_refusal(rule, actor, world, endpoint):
            found += judging.unchanged(world, tables)
            found += [] if endpoint.verb in SAFE else judging.audited(actor)
    is_hidden = not rule.shows(actor, world, endpoint.address)
    if is_hidden and not actor.is_anonymous:
        with worlds.savepoint():
            ids = {**world.ids, **absent(endpoint, rule)}
            nowhere, blank = asked(endpoint, rule, actor, ids, accept=accept)
        if (there.status_code, body) != (nowhere.status_code, blank):
            found.append(f"there {there.status_code} {body[:200]!r}, nowhere {blank[:200]!r}")
    return found


def is_refusal(rule: Rule, actor: Actor, world: World, endpoint: Endpoint) -> bool:
    return not (rule.permits(actor) and rule.shows(actor, world, endpoint.address))


def judged(
    endpoint: Endpoint, rule: Rule, actor: Actor, world: World, answer: Any, body: str
) -> list[str]:
    """Whether the status is the one that the rule has, and nothing is said that may not be."""
    status = answer.status_code
    is_shown = rule.shows(actor, world, endpoint.address)
    if actor.is_anonymous and not rule.permits(actor):
        wanted = {401} if rule.scopes or endpoint.needs_name else {401, 404}
    elif rule.permits(actor) and is_shown:
        is_fine = status not in {401, 403, 404} and (status < 500 or is_serverless(body))
        return [] if is_fine else [f"is kept out: {status} {body[:300]}"]
    elif is_shown:
        wanted = {403}
    else:
        wanted = {404} if rule.permits(actor) else {403, 404}
    found = [] if status in wanted else [f"{status} instead of {sorted(wanted)}: {body[:300]}"]
    return found + judging.told(world, body)


def is_serverless(body: str) -> bool:
    """Whether somebody was let in, to where there is no server in these tests."""
    return "No server runs in this process." in body or '"migrations": "ok"' in body


def asked(
    endpoint: Endpoint, rule: Rule, actor: Actor, ids: Any, *, accept: str = ""
) -> tuple[Any, str]:
    """The answer, and its text without the names that the request itself has said."""
    words = NAMES.findall(endpoint.address)
    address = "/" + NAMES.sub(lambda found: str(ids[found[1]]), endpoint.address)
    sent = json.dumps(rule.body)
    for word in re.findall(r"<(approval|session)>", sent):
        sent = sent.replace(f"<{word}>", str(ids[word]))
        words.append(word)
    headers = {**actor.headers, "X-Request-ID": "same", "A2A-Version": "1.0"}
    headers |= {"Accept": accept} if accept else {}
    if rule.body == FILE:
        upload = {"file": SimpleUploadedFile("a.txt", b"a")}
        answer = actor.client.post(address, upload, headers=headers)
    else:
        kind = "" if endpoint.verb == "GET" else "application/json"
        raw = b"" if rule.body is None else sent
        answer = actor.client.generic(
            endpoint.verb, address, raw, content_type=kind, headers=headers
        )
    body = text(answer)
    for word in words:
        body = body.replace(str(ids[word]), f"<{word}>")
    return answer, body


def text(answer: Any) -> str:
    """The body, of a stream nothing: who gets one was let in."""
    return "" if answer.streaming else answer.content.decode()


def absent(endpoint: Endpoint, rule: Rule) -> dict[str, str]:
    """Names that lead nowhere, for what is hidden of the address."""
    words = ["task"] if rule.reach == "own" else NAMES.findall(endpoint.address)
    return {word: str(uuid5(NAMESPACE_URL, word)) for word in words}


def test_who_may_decide_sees_what_is_decided_on(world: World):
    issued = credentials.issue(
        principal=SYSTEM, name="desk", scopes=["approvals:decide"], team_id=world.team.pk
    )
    desk = Caller(issued.secret)

    card = desk.get(f"/api/v1/approvals/{world.ids['approval']}")
    others = [desk.get(f"/api/v1/{noun}").status_code for noun in ("sessions", "runs", "messages")]

    assert card.json()["tool_call"]["arguments"] == {"symbol": worlds.MARK}
    assert others == [403, 403, 404]
