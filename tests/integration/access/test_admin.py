"""Every page and every button of the admin, with everybody who may try them."""

import copy
import re
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from django.apps import apps
from django.test import Client

from tests.integration.access import judging, routes, tally
from tests.integration.access import world as worlds
from tests.integration.access.routes import Endpoint
from tests.integration.access.rules import Rule
from tests.integration.access.world import Actor, World

pytestmark = [pytest.mark.django_db, pytest.mark.access, pytest.mark.timeout(300)]

NOBODY, ROOT, ANYBODY = "nobody:may", "users:write", ""
# By model: who reads its rows, who writes them, and whose they are.
MODELS = {
    "session": ("sessions:read", "sessions:write", "team"),
    "statistics": ("sessions:read", NOBODY, "all"),
    "replay": ("sessions:read", NOBODY, "all"),
    "component": ("components:read", NOBODY, "team"),
    "credential": ("credentials:read", "credentials:write", "team"),
    "program": ("programs:read", "programs:write", "team"),
    "agent": ("agents:read", "agents:write", "team"),
    "approval": ("approvals:read", NOBODY, "team"),
    "grant": ("policies:read", "policies:write", "team"),
    "policy": ("policies:read", "policies:write", "team"),
    "preset": ("templates:read", "templates:write", "team"),
    "provider": ("agents:read", "providers:write", "all"),
    "webhook": ("webhooks:read", "webhooks:write", "team"),
    "log": ("topics:read", NOBODY, "team"),
    "auditentry": ("audit:read", NOBODY, "team"),
    "toolserver": ("tool_servers:read", "tool_servers:write", "all"),
    "trigger": ("agents:read", "agents:write", "team"),
    "group": (ROOT, ROOT, "all"),
    "user": (ROOT, ROOT, "all"),
    "accessattempt": (ROOT, ROOT, "all"),
    "accesslog": (ROOT, ROOT, "all"),
    "accessfailurelog": (ROOT, ROOT, "all"),
}
# What else there is than lists, forms and histories: what it needs.
MORE = {
    "credential/revoke": "credentials:write",
    "credential/rotate": "credentials:write",
    "program/remove": "programs:write",
    "agent/trial": "agents:read runs:write",
    "agent/remove": "agents:write",
    "approval/card": "approvals:read",
    "approval/claim": "approvals:decide",
    "approval/measure": "approvals:read",
    "approval/digest": "approvals:decide",
    "approval/bulk": "approvals:decide",
    "grant/remove": "policies:write",
    "policy/remove": "policies:write",
    "preset/remove": "templates:write",
    "preset/use": "sessions:write",
    "preset/test": "sessions:write sessions:control",
    "preset/activate": "templates:write",
    "preset/agent": "templates:write",
    "provider/remove": "providers:write",
    "webhook/remove": "webhooks:write",
    "webhook/test": "webhooks:write",
    "webhook/rotate": "webhooks:write",
    "webhook/redeliver": "webhooks:write",
    "toolserver/test": "tool_servers:write",
    "toolserver/remove": "tool_servers:write",
    "trigger/test": "agents:read",
    "trigger/remove": "agents:write",
    "auditentry/verify": "audit:read",
    "auditentry/views": "audit:read",
    "session/views": "sessions:read",
    "auditentry/export": "audit:read",
    "session/bring": "sessions:write sessions:control",
    "session/lever": "sessions:control",
    "session/events": "events:read",
    "session/event": "events:read",
    "session/token": "sessions:control",
    "session/bookmark": "sessions:read",
    "session/conversation": "messages:read",
    "session/saw": "messages:read",
    "session/detach": "sessions:control",
    "session/restart": "sessions:control",
    "session/ping": "components:read",
    "session/log_level": "sessions:control",
    "session/say": "messages:write",
    "session/cancel": "runs:write",
    "session/review": "events:read",
    "session/instant": "events:read",
    "session/compare": "events:read messages:read runs:read",
    "session/redrive": "sessions:write topics:read",
    "session/checkpoint": "sessions:read",
    "session/checkpoint_take": "sessions:control",
    "session/checkpoint_recover": "sessions:control",
    "session/checkpoint_fork": "sessions:control sessions:write",
    "session/checkpoint_remove": "sessions:control",
    "session/artifact": "messages:read",
    "session/artifact_upload": "messages:write",
    "session/artifact_link": "messages:read",
    "session/artifact_withdraw": "messages:write",
    "session/artifact_remove": "messages:write",
    "log/topic": "topics:read",
    "log/publish": "topics:publish",
    "user/password_change": ROOT,
    "health/": "metrics:read",
    "health/act": "instance:write",
    "budgets/": "sessions:read",
    "budgets/act": "users:write",
    "playground/": "sessions:read",
    "playground/token": "sessions:control",
    # What it finds is what else the reader may see; without a word, that is the sidebar.
    "palette/": ANYBODY,
    # A provider's page is the form of its key.
    "provider/change": "providers:write",
}
# What somebody else makes, and what is made and taken away, and never changed.
UNMADE = {"grant", "accessattempt", "accesslog", "accessfailurelog"}
UNCHANGED = {"component", "credential"}
# Django's own, for whoever is signed in; they tell of no rows.
OPEN = {
    "",
    "search",
    "login",
    "logout",
    "password_change",
    "password_change_done",
    "jsi18n",
    "view_on_site",
    "index",
    "app_list",
}
APPS = re.compile(r"^(?:auth|axes|aegis_components|aegis_sessions|aegis_streaming)_")
NAMES = re.compile(r"<(?:\w+:)?(\w+)>")
ENDPOINTS = [one for one in routes.http() if one.address.startswith("admin/") and one.name]


def rule_of(endpoint: Endpoint) -> Rule | None:
    """What a page or button needs; None for one without a rule."""
    if endpoint.name in OPEN:
        return Rule(ANYBODY, reach="all")
    if endpoint.name == "autocomplete":
        # No form of ours has fields that ask it.
        return Rule(NOBODY, reach="all")
    model, _, what = APPS.sub("", endpoint.name).partition("_")
    read, write, reach = MODELS.get(model, ("", "", ""))
    if f"{model}/{what}" in MORE:
        # A page of no row is there for whoever may open it.
        is_of_row = NAMES.search(endpoint.address)
        return Rule(MORE[f"{model}/{what}"], reach=reach if reach and is_of_row else "all")
    if what == "change" and endpoint.verb == "POST" and model in UNCHANGED:
        return Rule(NOBODY, reach=reach)
    if what == "change" and endpoint.verb == "POST" and model == "approval":
        return Rule("approvals:decide", reach=reach)
    plain = {
        "changelist": read,
        # Where nothing is written, a form that is sent is shown as it is.
        "change": read if endpoint.verb == "GET" or write == NOBODY else write,
        "add": NOBODY if model in UNMADE else write,
        "history": read,
        "delete": ROOT if read == ROOT else NOBODY,
    }
    return (
        Rule(plain[what], reach="all" if what in {"changelist", "add"} else reach)
        if (what in plain and reach)
        else None
    )


def test_every_page_and_button_has_a_rule():
    assert [one.name for one in ENDPOINTS if rule_of(one) is None] == []


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if rule_of(one)], ids=str)
def test_everybody_gets_what_is_theirs(endpoint: Endpoint, world: World, record_property: Any):
    rule, leaks = rule_of(endpoint), list[str]()
    assert rule is not None
    # A bearer secret opens no page of the admin: its holder is nobody there.
    people = [one for one in world.actors.values() if one.user or one.is_anonymous]

    for actor in people:
        leaks += [f"{actor.name}: {leak}" for leak in tried(endpoint, rule, actor, world)]

    actors = [one.name for one in people]
    tally.note(record_property, verb=str(endpoint), transport="admin", actors=actors, leaks=leaks)
    assert not leaks, "\n".join(leaks)


def tried(endpoint: Endpoint, rule: Rule, actor: Actor, world: World) -> list[str]:
    """What is wrong with what one actor is shown, for what is there and for what is not."""
    is_shown = actor.sees(world) or rule.reach == "all"
    # What nobody may, nobody may who may everything.
    is_permitted = rule.permits(actor) and not actor.is_anonymous and rule.scopes != NOBODY
    ids = named(endpoint, world)
    with worlds.savepoint(), worlds.writes() as tables:
        status, place, text = asked(endpoint, actor, ids)
        if is_permitted and is_shown:
            return [f"is kept out: {status}"] if is_kept_out(status, place) else []
        own = tables - {"django_session"}
        found = judging.unchanged(world, own)
        if endpoint.name not in OPEN:
            found += judging.told(world, text)
    if status not in {302, 403, 404, 405} and not (is_shown and rule.scopes == ANYBODY):
        found.append(f"is let in: {status} {text[:200]}")
    if not is_shown and not actor.is_anonymous:
        blank = {word: absent(word, value) for word, value in ids.items()}
        with worlds.savepoint():
            nowhere = asked(endpoint, actor, blank)
        if (status, place) != nowhere[:2]:
            found.append(f"there {status} {place}, nowhere {nowhere[:2]}")
    return found


def is_kept_out(status: int, place: str) -> bool:
    """Whether somebody was refused, failed, or sent to sign in."""
    return status == 403 or status >= 500 or place.startswith("/admin/login/?")


def asked(endpoint: Endpoint, actor: Actor, ids: Any) -> tuple[int, str, str]:
    """The status, where it leads, and the page, without the names that the request has said."""
    address = "/" + NAMES.sub(lambda found: str(ids[found[1]]), plain(endpoint))
    client = Client()
    # A browser of its own for each: what signs somebody out here leaves them signed in elsewhere.
    client.cookies = copy.deepcopy(actor.client.cookies)
    answer = client.generic(endpoint.verb, address)
    text = "" if answer.streaming else answer.content.decode()
    place = answer.headers.get("Location", "")
    for word, value in ids.items():
        text, place = text.replace(str(value), word), place.replace(str(value), word)
    return answer.status_code, place, text


def plain(endpoint: Endpoint) -> str:
    """The address without what only a pattern has; of several apps the first."""
    return "admin/auth/" if endpoint.name == "app_list" else endpoint.address


def named(endpoint: Endpoint, world: World) -> dict[str, Any]:
    """The names in an address: those of the row of its model."""
    app, _, rest = endpoint.address.removeprefix("admin/").partition("/")
    model = rest.partition("/")[0]
    known: dict[str, Any] = {**world.ids, "seq": 1, "id": world.actors["superuser"].user}
    if not APPS.match(f"{app}_") or app in {"auth", "axes"}:
        row: Any = world.actors["superuser"].principal.user_id
    else:
        rows = apps.get_model(app, model)._default_manager.all()
        own = {"agent": "agent_pk", "log": "log", "auditentry": "entry"}.get(model, model)
        row = world.ids.get(own) if own not in {"provider", "policy"} else rows.latest("pk").pk
    same = dict.fromkeys(("pk", "object_id", "id", "content_type_id", "url"), row)
    found = {**known, **same}
    return {
        word: found.get(word, found.get(word.removesuffix("_id")))
        for word in NAMES.findall(plain(endpoint))
    }


def absent(word: str, value: Any) -> Any:
    """A name of the same form that leads nowhere."""
    if isinstance(value, int):
        return 987654
    return "nothing.here" if word == "topic" else str(uuid5(NAMESPACE_URL, word))
