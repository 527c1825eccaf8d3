"""`aegis session create` and `attach`, and the clock of sessions, at a server that was named."""

from collections.abc import Callable, Sequence
from typing import Any

from components.services.registry import Expected
from sessions.core.lifecycle import Kind, State
from sessions.management import clock_words, far_sessions, output, session_options
from sessions.management.client import Client
from sessions.management.far import Document
from sessions.management.output import How, Misused


def create(
    server: Client,
    *,
    template: str,
    kind: Kind | None,
    agent: str,
    attach: list[str],
    tag: list[str],
    start: bool,
    wait: State | None,
    timeout: float,
    is_json: bool,
    is_quiet: bool,
    **given: Any,
) -> None:
    """
    Make a session there.

    :raises Misused: for a kind beside a template, which has one
    """
    if template and kind is not None:
        raise Misused("The template says of what kind the session is; leave --kind out.")
    usual = Kind.CHAT if agent else Kind.STREAM
    body = _said(given) | {"agent": agent, "components": _components(attach)}
    body |= {"template": template} if template else {"kind": kind or usual}
    row = made = server.send("POST", "sessions", body=body)
    if tag:
        server.send("POST", "sessions", made["id"], "tags", body={"tags": tag})
        row = server.get("sessions", made["id"])
    if start:
        row = server.send("POST", "sessions", made["id"], "start")
    if wait is not None:
        row = far_sessions.until(server, row, wait, timeout=timeout)
    secret = made.get("session_token", "")
    sentence = f"{output.state(row['state'])}  {row['key']}" + (f"\n{secret}" if secret else "")
    told = {**row, "session_token": secret} if secret else row
    output.show_one(
        How(is_json, is_quiet), "session.create", told, identity=row["id"], sentence=sentence
    )


def attach(
    server: Client,
    *,
    session: str,
    names: list[str],
    required: bool,
    topics: list[str],
    is_json: bool,
    is_quiet: bool,
) -> None:
    """Declare components that a session there counts on."""
    wanted = _components(names, required=required, topics=topics)
    row = server.send("POST", "sessions", session, "attach", body={"components": wanted})
    secret = row["session_token"]
    how = How(is_json, is_quiet)
    output.show_one(how, "session.attach", row, identity=secret, sentence=secret)


def restart(server: Client, *, from_: str, to: str, **given: Any) -> None:
    """Begin a new activation there."""
    given |= {"from": from_, "to": to}
    far_sessions.lever("restart")(server, **given)


def clock(name: str, **words: str) -> Callable[..., None]:
    """An order to the clock of a session there, by what the interface calls what was given."""

    def ask(server: Client, *, session: str, is_json: bool, is_quiet: bool, **given: Any) -> None:
        key = server.get("sessions", session)["key"]
        body = {words[said]: value for said, value in given.items()}
        found: Document = (
            server.send("POST", "sessions", session, name, body=body)
            if body
            else server.get("sessions", session, "clock")
        )
        clock_words.tell(name, found, key=key, how=How(is_json, is_quiet))

    return ask


def _said(given: dict[str, Any]) -> dict[str, Any]:
    for name in ("context", "config", "metadata"):
        given[name] = session_options.mapping(given[name], option=f"--{name}")
    return {name: value for name, value in given.items() if value not in ("", None)}


def _components(
    names: list[str], *, required: bool = True, topics: Sequence[str] = ()
) -> list[dict[str, Any]]:
    found = session_options.expected(names, required=required, topics=list(topics))
    return [_component(one) for one in found]


def _component(one: Expected) -> dict[str, Any]:
    return {
        "name": one.name,
        "role": one.role,
        "required": one.required,
        "topics": list(one.topics),
    }
