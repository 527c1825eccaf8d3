"""`aegis session`, `component` and `event` against a server that was named."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from components.core import asks
from components.core.lifecycle import CONNECTED
from sessions.core.lifecycle import CLOSED, OPEN, State
from sessions.management import far, output, session_options, session_waits, verbs
from sessions.management.client import Client
from sessions.management.far import Columns, Document
from sessions.management.output import How, Misused
from sessions.management.session_waits import Waits
from sessions.management.several import would
from sessions.management.verbs import OutOfReach, PersonNeeded, TimedOut
from sessions.management.waiting import DEAD_ENDS

LOOK_SECONDS = 10.0
PING_SECONDS = 0.5
PAGE = 200


def _state(row: Document) -> str:
    return "  ".join([output.state(row["state"]), *row["conditions"]])


def _parts(row: Document) -> str:
    found = row["participants"]
    return f"{found['present']}/{found['total']}"


SESSIONS: Columns = {
    "KEY": lambda row: row["key"],
    "STATE": _state,
    "NAME": lambda row: row["name"],
    "KIND": lambda row: row["kind"],
    "MODE": lambda row: row["mode"],
    "ENV": lambda row: row["environment"],
    "PARTS": _parts,
    "LAST": lambda row: far.moment(row["last_activity_at"]),
    "TAGS": lambda row: " ".join(row["tags"]),
}
COMPONENTS: Columns = {
    "COMPONENT": lambda row: row["name"],
    "STATE": lambda row: output.state(row["state"]) + ("  late" if row["is_late"] else ""),
    "ROLE": lambda row: row["role"],
    "REQUIRED": lambda row: "yes" if row["required"] else "no",
    "TOPICS": lambda row: ", ".join(row["topics"]),
    "HEARD": lambda row: far.moment(row["last_heartbeat_at"]),
    "SESSION": lambda row: row["session_id"],
    "ERROR": lambda row: row["error"],
}


def several(
    server: Client, *, state: str, closed: bool, limit: int, dialect: Any, **given: Any
) -> None:
    """The sessions that a credential sees there."""
    _only_here(dialect)
    if given["waiting_for"] or given["mine"]:
        raise Misused("--waiting and --mine read what is on this machine.")
    wanted = session_options.states(state) or ([] if closed else sorted(OPEN))
    kind = given["kind"]
    rows, has_more = server.several(
        "sessions",
        limit=limit,
        state=",".join(wanted),
        kind=kind.value if kind else "",
        search=given["search"],
        tag=given["tag"],
        ordering=given["sort"].field,
    )
    if has_more:
        output.say(f"There are more than {limit}; see --limit.")
    how = How(given["is_json"], given["is_quiet"])
    waits = session_waits.there(server) if how.is_table and rows else None
    far.several(how, "session.list", _listed(waits), rows, has_more=has_more)
    if how.is_table:
        session_waits.tell(waits, [row["id"] for row in rows])


def _listed(waits: Waits) -> Columns:
    """The columns with what waits for people in each session."""
    before = {heading: cell for heading, cell in SESSIONS.items() if heading != "TAGS"}
    waiting = {"WAITS": lambda row: session_waits.cell(waits, row["id"])}
    return {**before, **waiting, "TAGS": SESSIONS["TAGS"]}


def state(server: Client, *, session: str, dialect: Any, is_json: bool, is_quiet: bool) -> None:
    """A session and its components."""
    _only_here(dialect)
    row = server.get("sessions", session)
    components = server.get("sessions", session, "components")["data"]
    if is_json:
        output.document("session.state", {**row, "components": components})
    elif is_quiet:
        output.plain(row["state"])
    else:
        output.tabulate(far.table(SESSIONS, [row]))
        output.tabulate(far.table(COMPONENTS, components))


def lever(name: str) -> Callable[..., None]:
    """A command of the lever."""

    def pull(
        server: Client,
        *,
        session: str | list[str],
        is_json: bool,
        is_quiet: bool,
        is_sure: bool = True,
        dry_run: bool = False,
        wait: State | None = None,
        timeout: float = 0.0,
        **said: Any,
    ) -> None:
        references = [session] if isinstance(session, str) else session
        how = How(is_json, is_quiet)
        if dry_run:
            _plan(server, name, references, how)
            return
        verbs.confirm(f"{name.capitalize()} {', '.join(references[:5])}?", is_sure=is_sure)
        results = verbs.each(references, lambda one: _pull(server, one, name, said))
        waited = [until(server, one, wait, timeout=timeout) for one in results.done]
        refused = {key: error.as_dict() for key, error in results.failures.items()}
        if how.is_json and (waited or len(refused) > 1):
            output.document(f"session.{name}", waited, count=len(waited), refused=refused)
        elif not how.is_json:
            for row in waited:
                output.plain(str(row["id"]) if is_quiet else _moved(row))
        results.end(how)

    return pull


def _moved(row: Document) -> str:
    words = [output.state(row["state"]), row["key"]]
    if "starting" in row["conditions"]:
        words.append("starting: waits for its components")
    elif row.get("previous_state", row["state"]) != row["state"]:
        words.append(f"was {row['previous_state']}")
    return "  ".join(words)


def components(
    server: Client, *, session: str, lost: bool, limit: int, is_json: bool, is_quiet: bool
) -> None:
    """The components that a credential sees there."""
    found = server.get("sessions", session)["id"] if session else ""
    states = ("lost", "failed") if lost else ("",)
    rows: list[Any] = []
    for one in states:
        rows += server.several("components", limit=limit, session=found, state=one)[0]
    far.several(How(is_json, is_quiet), "component.list", COMPONENTS, rows[:limit], has_more=False)


def component(
    server: Client, *, session: str, component: str, is_json: bool, is_quiet: bool
) -> None:
    """One component of a session."""
    if not component:
        raise Misused("Name the component, too.")
    row = server.get("sessions", session, "components", component)
    far.one(How(is_json, is_quiet), "component.show", COMPONENTS, row)


def ping(
    server: Client, *, session: str, component: str, timeout: float, is_json: bool, is_quiet: bool
) -> None:
    """The next sign of life of a component there."""
    if not component:
        raise Misused("Name the component, too.")
    begun = time.monotonic()
    at = ("sessions", session, "components", component)
    first = row = server.get(*at)
    if row["state"] in CONNECTED:
        body = {"timeout_seconds": min(timeout, asks.LONGEST_SECONDS)}
        answer = server.send("POST", *at, "ping", body=body)
        if answer["is_answered"]:
            answered(How(is_json, is_quiet), row, milliseconds=answer["round_trip_ms"])
            return
    while row["state"] in CONNECTED and row["last_heartbeat_at"] == first["last_heartbeat_at"]:
        if time.monotonic() - begun >= timeout:
            break
        threading.Event().wait(PING_SECONDS)
        row = server.get("sessions", session, "components", component)
    is_heard = row["last_heartbeat_at"] != first["last_heartbeat_at"]
    seconds = time.monotonic() - begun
    pinged(How(is_json, is_quiet), row, is_heard=is_heard, seconds=seconds)


def answered(how: How, row: Document, *, milliseconds: float) -> None:
    """Tell that a component answered, and after how long."""
    sentence = f"{row['name']} answered after {milliseconds:.1f} ms; it is {row['state']}"
    output.show_one(
        how,
        "component.ping",
        row,
        identity=str(row["id"]),
        sentence=sentence,
        round_trip_ms=milliseconds,
    )


def pinged(how: How, row: Document, *, is_heard: bool, seconds: float) -> None:
    """
    Tell that a component was heard of.

    :raises OutOfReach: if it is not connected
    :raises TimedOut: if it was not heard of
    """
    if row["state"] not in CONNECTED:
        raise OutOfReach(f"{row['name']} is {row['state']}.", state=row["state"])
    if not is_heard:
        raise TimedOut(f"{row['name']} was not heard of for {seconds:.0f} s.")
    sentence = f"{row['name']} was heard of after {seconds:.1f} s; it is {row['state']}"
    output.show_one(how, "component.ping", row, identity=str(row["id"]), sentence=sentence)


def _only_here(dialect: Any) -> None:
    if dialect is not None:
        raise Misused("--dialect reads what is on this machine.")


def _pull(server: Client, one: str, name: str, said: Mapping[str, Any]) -> Document:
    if name == "delete":
        before = server.get("sessions", one)
        server.send("DELETE", "sessions", one)
        # It cannot be read any more; an open one was ended by that.
        return {**before, "state": before["state"] if before["state"] in CLOSED else State.ENDED}
    body = {key: value for key, value in said.items() if value != ""}
    if "result" in body:
        body["result"] = session_options.value(body["result"], option="--result")
    if "error" in body:
        body["error"] = {"message": body["error"]}
    done: Document = server.send("POST", "sessions", one, name, body=body)
    return done


def until(server: Client, row: Document, state: State | None, *, timeout: float) -> Document:
    """
    The session once it is in the state, if one is waited for.

    :raises TimedOut: when the time is over
    :raises PersonNeeded: when somebody has to decide first
    :raises OutOfReach: when it failed or was closed meanwhile
    """
    deadline = time.monotonic() + timeout
    while state is not None and row["state"] != state:
        if "waiting" in row["conditions"]:
            raise PersonNeeded(f"{row['key']} waits for somebody.", session=row["key"])
        if row["state"] in DEAD_ENDS and "starting" not in row["conditions"]:
            raise OutOfReach(f"{row['key']} is now {row['state']}.", session=row["key"])
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimedOut(f"{row['key']} is still {row['state']} after {timeout:g} s.")
        # Whatever moves it stands in its ledger.
        seen = {"start": "latest-0", "wait": min(left, 1.0)}
        server.get("sessions", row["id"], "topics", "ledger", **seen)
        row = server.get("sessions", row["id"])
    return row


def _plan(server: Client, name: str, references: list[str], how: How) -> None:
    results = verbs.each(references, lambda one: server.get("sessions", one))
    rows = [{**one, "would": would(name, one["state"], one["allowed"])} for one in results.done]
    columns = {**SESSIONS, "WOULD": lambda row: row["would"]}
    far.several(how, f"session.{name}.plan", columns, rows)
    results.end(How())
