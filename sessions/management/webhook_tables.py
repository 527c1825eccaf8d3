"""Webhooks and what was sent to them, as the command line shows them; and those of a server."""

from typing import Any

import typer

from sessions.api import webhooks as documents
from sessions.management import beginnings, listing, output, there
from sessions.management.client import Client
from sessions.management.far import Document
from sessions.management.listing import Shape
from sessions.management.output import How
from sessions.management.verbs import Exit
from sessions.models import Delivery, Webhook
from streaming.api import codecs

SHAPE: Shape[Webhook] = Shape(
    noun="webhook",
    document=lambda row: codecs.show(documents.document(row)),
    name="id",
    columns={
        "WEBHOOK": lambda row: str(row["id"]),
        "STATE": lambda row: "active" if row["is_active"] else "resting",
        "OF": lambda row: row["session_key"] or row["team"],
        "EVENTS": lambda row: " ".join(row["events"]),
        "ADDRESS": lambda row: row["url"],
    },
    sentence=lambda row: f"{row['id']}  {row['url']}{'' if row['is_active'] else '  (resting)'}",
)
SENT: Shape[Delivery] = Shape(
    noun="webhook",
    document=lambda row: codecs.show(documents.shown(row)),
    name="id",
    columns={
        "DELIVERY": lambda row: str(row["id"]),
        "STATE": lambda row: row["state"],
        "TRIES": lambda row: str(row["attempts"]),
        "ANSWER": lambda row: str(row["status"] or "–"),
        "EVENT": lambda row: f"{row['type']} {row['seq']}",
        "WHY": lambda row: row["error"],
    },
    sentence=lambda row: f"{row['id']}  {row['type']}  {row['state']}",
)
HOOK = ("webhooks", "~webhook")


def changes(*, event: list[str] | None, active: bool | None, url: str) -> dict[str, Any]:
    """What is to change of a webhook."""
    return listing.said(url=url, events=event, is_active=active)


def far_create(
    server: Client, *, url: str, event: list[str] | None, is_json: bool, is_quiet: bool, **of: str
) -> None:
    """Let an address hear of events there."""
    row = server.send("POST", "webhooks", body={"url": url, "events": event or ["*"], **of})
    tell_secret(How(is_json, is_quiet), "create", row)


def far_rotate(server: Client, *, webhook: str, is_json: bool, is_quiet: bool) -> None:
    """Sign with another secret there."""
    place = there.at(server, HOOK, {"webhook": webhook})
    tell_secret(How(is_json, is_quiet), "rotate", server.send("POST", *place, "rotate"))


def far_test(server: Client, *, webhook: str, is_json: bool, is_quiet: bool) -> None:
    """Send a signed test from there."""
    place = there.at(server, HOOK, {"webhook": webhook})
    tell_trial(How(is_json, is_quiet), server.send("POST", *place, "test"))


def far_redeliver(
    server: Client, *, webhook: str, delivery: str, is_json: bool, is_quiet: bool
) -> None:
    """Send a delivery again from there."""
    place = [*there.at(server, HOOK, {"webhook": webhook}), "deliveries"]
    one = beginnings.far_whole(server, *place, reference=delivery)
    SENT.tell_one(
        How(is_json, is_quiet), "redeliver", server.send("POST", *place, one, "redeliver")
    )


def tell_secret(how: How, verb: str, row: Document) -> None:
    """A webhook with its secret, which is shown this once."""
    SHAPE.tell_one(how, verb, row)
    if not (how.is_json or how.is_quiet):
        output.plain(row["secret"])


def tell_trial(how: How, found: Document) -> None:
    """
    What came back of a test.

    :raises Exit: when it was not taken
    """
    status, error = found["status"], found["error"]
    sentence = error or f"taken: HTTP {status}"
    output.show_one(how, "webhook.test", found, identity=str(status or ""), sentence=sentence)
    if error:
        raise typer.Exit(Exit.CHECK_FAILED)
