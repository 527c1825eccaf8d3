"""What a client may say on each socket, what it needs, and what then happens with the rows."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aegis_project.kit.errors import AegisError, NotAuthenticated
from aegis_project.kit.principal import Principal
from components.core.messages import Register
from components.services import admissions
from sessions.admin import dashboard
from sessions.admin import frames as live
from sessions.admin.approval_feeds import CardFeed, WaitingFeed
from sessions.admin.dashboard_feed import DashboardFeed
from sessions.admin.monitor_feed import MonitorFeed
from sessions.admin.tails import TailFeed
from sessions.admin.topic_feed import TopicFeed
from sessions.admin.topics_feed import TopicsFeed
from sessions.core import tasks
from sessions.dialects import door, session_acts, session_door, session_frames, task_orders
from sessions.dialects.bus.socket import BusConsumer
from sessions.dialects.daemon_socket import DaemonConsumer
from sessions.selectors import approvals, sessions
from sessions.selectors import tasks as reading
from sessions.selectors.dashboard import running
from sessions.services import tasks as giving
from tests.integration.access.rules import Rule
from tests.integration.access.test_envelopes import Verb, verbs
from tests.integration.access.world import Actor

HOST = "desk"
PLACE = re.compile(r"<(\w+)>")
Act = Callable[[Actor, Any], Any]
SESSION, ROW = {"id": "<session>"}, {"ids": ["<session>"]}


@dataclass(frozen=True)
class Frame:
    """One frame of one socket: what it needs, and what it does for whoever says it."""

    transport: str
    name: str
    rule: Rule
    act: Act
    has_cookie: bool = False

    def __str__(self) -> str:
        return f"{self.transport} {self.name}"


def principal(actor: Actor) -> Principal:
    """
    Who opened the socket, as its door sees them.

    :raises NotAuthenticated: for nobody
    """
    headers = {"host": HOST, "origin": f"http://{HOST}", "cookie": actor.cookie, **lower(actor)}
    scope = {"headers": [(name.encode(), one.encode()) for name, one in headers.items() if one]}
    found = door.shown(scope, transport="socket")
    if found is None:
        raise NotAuthenticated
    return found


def lower(actor: Actor) -> dict[str, str]:
    return {name.lower(): one for name, one in actor.headers.items()}


def filled(body: Any, ids: Any) -> Any:
    """A body with the names of rows in their places."""
    return json.loads(PLACE.sub(lambda found: str(ids[found[1]]), json.dumps(body)))


# The socket of a session

OF_SESSION: dict[str, tuple[str, dict[str, Any]]] = {
    "message": ("messages:write", {"content": "Hello", "answers": False}),
    "approval": ("approvals:decide", {"approval_id": "<approval>", "approved": False}),
    "cancel": ("runs:write", {"run_id": "<run>"}),
    "reconnect": ("sessions:read", {}),
}


def of_session() -> Iterator[Frame]:
    for word, (scope, body) in OF_SESSION.items():
        whole = {**body, "type": word}

        def act(actor: Actor, ids: Any, *, whole: Any = whole) -> Any:
            visit = session_door.enter(principal(actor), str(ids["session"]))
            frame = session_frames.read(filled(whole, ids))
            return session_acts.carry_out(visit.principal, visit.session.pk, frame)

        yield Frame("session socket", word, Rule(f"events:read {scope}", {"at": "<session>"}), act)


# The sockets of seeds 000 and 003 carry the same verbs as their addresses.


def of_verbs() -> Iterator[Frame]:
    for verb in verbs():
        consumer: Any = {"000": DaemonConsumer, "003": BusConsumer}.get(verb.transport)
        if consumer is not None:
            yield Frame(f"{verb.transport} socket", verb.name, verb.rule, sends(consumer(), verb))


def sends(consumer: Any, verb: Verb) -> Act:
    body = {**verb.body, "daemon": verb.name.partition(".")[0]}

    def act(actor: Actor, ids: Any) -> Any:
        asked = consumer.read(filled(verb.body if verb.transport == "000" else body, ids))
        return consumer.act(principal(actor), asked)

    return act


# The socket of an agent of seed 002

TASK = {"input": {"type": "text/plain", "content": "Hello"}}


def gives(actor: Actor, ids: Any) -> Any:
    asked = task_orders.ordered(tasks.request(TASK), agent=str(ids["agent"]))
    return giving.give(principal=principal(actor), task=asked).pk


def hears(actor: Actor, ids: Any) -> Any:
    found = reading.find(principal(actor), agent=str(ids["agent"]), task=str(ids["run"]))
    return found.state


# The live pages of the admin

LIVE: dict[str, tuple[str, dict[str, Any]]] = {
    "dashboard": ("sessions:read", {}),
    "session": ("sessions:read", {**SESSION, "tab": "config"}),
    "ledger": ("events:read", {**SESSION, "show": "all", "after": 0}),
    "lanes": ("events:read", SESSION),
    "conversation": ("messages:read", SESSION),
    "topics": ("topics:read", SESSION),
    "tail": ("topics:read", {**SESSION, "topic": "<topic>"}),
    "topic": ("topics:read", {**SESSION, "topic": "<topic>"}),
    "monitor": ("topics:read", {"ids": [], "view": "open"}),
    "sessions": ("sessions:read", ROW),
    "components": ("components:read", {"ids": ["<component>"]}),
    "component": ("components:read", {"id": "<component>"}),
    "waiting": ("approvals:read", {}),
    "approvals": ("approvals:read", {"ids": ["<approval>"]}),
    "inbox": ("approvals:read", {}),
    "approval": ("approvals:read", {"id": "<approval>"}),
}
# Of these who sees nothing is shown nothing, and is not refused.
LISTS = {"monitor", "sessions", "components", "waiting", "approvals"}


def of_pages() -> Iterator[Frame]:
    for word, (scope, body) in LIVE.items():

        def act(actor: Actor, ids: Any, *, word: str = word, body: Any = body) -> Any:
            if not actor.cookie:
                raise NotAuthenticated
            return first(live.feed(principal(actor), filled({**body, "type": word}, ids)))

        place = {} if word in LISTS else body
        yield Frame("live pages", word, Rule(scope, place), act, has_cookie=True)


def first(feed: Any) -> Any:
    """What a feed reads for its first turn; of topics where nothing is open."""
    if special := FIRST.get(type(feed)):
        return special(feed)
    return feed._read(frozenset()) if "ids" in vars(feed) else feed._read()


def opens_card(feed: CardFeed) -> Any:
    return feed._render(approvals.read(feed.principal, feed.approval_id), None, None)


def opens_dashboard(feed: DashboardFeed) -> Any:
    found = running(feed.principal)
    return dashboard.parts(feed.principal, found, dashboard.look_from_thread(found))


def finds_session(feed: Any) -> Any:
    return sessions.find(feed.principal, feed.session_id).key


FIRST: dict[type, Callable[[Any], Any]] = {
    WaitingFeed: lambda feed: approvals.waiting(feed.principal),
    CardFeed: opens_card,
    DashboardFeed: opens_dashboard,
    MonitorFeed: lambda feed: feed._find_keys(),
    TopicsFeed: lambda feed: feed._render({}),
    TailFeed: finds_session,
    TopicFeed: finds_session,
}


# The two sockets of a component: with whose token, into which session


def registers(actor: Actor, ids: Any) -> Any:
    token = Register(session_token=actor.secret, component_id=str(ids["component"]))
    admission, _ = admissions.admit(register=token, lease_id=None, is_open=False)
    return admission


def says_hello(actor: Actor, ids: Any) -> Any:
    hello = {"session_token": actor.secret, "component_id": str(ids["component"])}
    return admissions.take_seat(hello=hello, is_open=False)


def renews(actor: Actor, ids: Any) -> Any:
    component = str(UUID(str(ids["component"])))
    return admissions.renew(secret=actor.secret, component_id=component, is_open=False)


# Only who has a token of this very session may; nobody of these has one.
NOBODY = "nobody:may"
OWN_TOKEN = Rule(NOBODY, {"at": "<component>"})


def every() -> list[Frame]:
    """Each frame of each socket."""
    task = Rule("sessions:write messages:write runs:write", {"at": "<agent>"})
    return [
        *of_session(),
        *of_verbs(),
        Frame("002 socket", "task", task, gives),
        Frame("002 socket", "attach", Rule("runs:read", {"at": "<agent>/<run>"}), hears),
        *of_pages(),
        Frame("component sockets", "REGISTER", OWN_TOKEN, registers),
        Frame("component sockets", "HELLO", OWN_TOKEN, says_hello),
        # A socket renews the token of its own component, whatever is said.
        Frame("component sockets", "REFRESH", Rule(NOBODY), renews),
    ]


def said(frame: Frame, actor: Actor, ids: Any) -> tuple[int, str]:
    """The status of a refusal or 200, and what is told without the names that were said."""
    try:
        status, told = 200, str(frame.act(actor, ids))
    except AegisError as error:
        status, told = error.status, f"{error.code} {error.message} {error.details}"
    for word in ("session", "component", "approval", "run", "agent", "topic"):
        told = told.replace(str(ids[word]), f"<{word}>")
    return status, told
