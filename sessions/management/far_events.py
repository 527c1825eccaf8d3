"""`aegis event` and `aegis session watch` against a server that was named."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from sessions.core.lifecycle import CLOSED
from sessions.management import output
from sessions.management.client import Client

PAGE = 200
WAIT_SECONDS = 10
LEDGER = "ledger"
ENDED = "session.ended"


def tail(
    server: Client, *, session: str, after: int, kind: str, follow: bool, is_json: bool
) -> None:
    """Print the events of a session there and follow them."""
    for event in followed(server, session, after=after, follows=follow):
        if fnmatchcase(event["type"], kind):
            output.plain(output.dump(event) if is_json else line(event))


def watch(server: Client, *, session: str, follow: bool, is_json: bool) -> None:
    """The same, with all events."""
    tail(server, session=session, after=0, kind="*", follow=follow, is_json=is_json)


def followed(
    server: Client, session: str, *, after: int, follows: bool
) -> Iterator[dict[str, Any]]:
    """The events behind a number, as they come, until the session is closed."""
    asked: dict[str, Any] = {"start": f"seq:{after + 1}", "limit": PAGE}
    is_ended = is_over = False
    while True:
        wait = WAIT_SECONDS if follows and not is_ended and not is_over else 0
        page = server.get("sessions", session, "topics", LEDGER, **asked, wait=wait)
        for record in page["data"]:
            is_ended = is_ended or record["data"]["type"] == ENDED
            yield {**record["data"], "seq": record["seq"]}
        if page["next"]:
            asked["after"] = page["next"]
        is_empty = not page["data"]
        if is_empty and (is_over or not follows):
            return
        # What was written between the two answers is read by one look more.
        is_over = is_empty and server.get("sessions", session)["state"] in CLOSED


def line(event: dict[str, Any]) -> str:
    """An event on one line, for people."""
    said = output.dump(event["data"]) if event["data"] else ""
    return f"{event['seq']}  {event['ts']}  {event['type']}  {event['actor']}  {said}"
