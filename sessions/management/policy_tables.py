"""Policies and grants as the command line shows them; and those of a server."""

from datetime import UTC, datetime
from typing import Any

import orjson

from aegis_project.kit.errors import ValidationFailed
from sessions.api import grants as grant_documents
from sessions.api import policies as documents
from sessions.core import policy as rule_words
from sessions.management import far, output, there
from sessions.management.client import Client
from sessions.management.far import Document
from sessions.management.listing import Shape
from sessions.management.output import How
from sessions.models import Grant, Policy
from streaming.api import codecs

# As many rules made from decisions are listed.
MOST = 1000


def _rules(row: Document) -> str:
    ordered = [rule_words.in_order(rule) for rule in row["rules"]]
    return "\n".join(f"{number}. {output.dump(one)}" for number, one in enumerate(ordered, 1))


def _scope(row: Document) -> str:
    """What such a rule is about, in words."""
    if row["run"]:
        return f"run {row['run']}"
    if row["session"]:
        return f"session {row['session']}"
    return f"{row['agent'] or 'agent'} in {row['environment']}"


SHAPE: Shape[Policy] = Shape(
    noun="policy",
    document=lambda row: codecs.show(documents.policy(row)),
    name="slug",
    columns={
        "POLICY": lambda row: row["slug"],
        "RULES": lambda row: str(len(row["rules"])),
        "TEAM": lambda row: row["team"] or "everybody",
        "VERSION": lambda row: str(row["version"]),
        "DESCRIPTION": lambda row: row["description"],
    },
    sentence=_rules,
)
GRANTS: Shape[Grant] = Shape(
    noun="policy",
    document=lambda row: codecs.show(grant_documents.document(row)),
    name="id",
    columns={
        "GRANT": lambda row: str(row["id"]),
        "TOOL": lambda row: row["tool"],
        "VERDICT": lambda row: row["verdict"],
        "SCOPE": _scope,
        "BY": lambda row: row["made_by"],
        "UNTIL": lambda row: output.clock(far.at(row["until"])) if row["until"] else "",
    },
    sentence=lambda row: f"{row['id']}  {row['tool']}  taken back",
)


def far_list(server: Client, *, is_json: bool, is_quiet: bool) -> None:
    """The policies there by name."""
    rows, _ = server.several("policies", limit=MOST)
    SHAPE.tell(How(is_json, is_quiet), "list", sorted(rows, key=lambda row: str(row["slug"])))


def far_grants(server: Client, *, is_json: bool, is_quiet: bool) -> None:
    """The rules that were made from decisions there, and hold."""
    rows, _ = server.several("grants", limit=MOST)
    held = [row for row in rows if not row["revoked_at"]]
    GRANTS.tell(How(is_json, is_quiet), "grants", held)


def far_revoke(server: Client, *, grant: str, is_json: bool, is_quiet: bool) -> None:
    """Take back a rule there."""
    place = there.at(server, ["grants", "~grant"], {"grant": grant})
    row = server.get(*place)
    server.send("DELETE", *place)
    told = {**row, "revoked_at": row["revoked_at"] or datetime.now(UTC)}
    GRANTS.tell_one(How(is_json, is_quiet), "revoke", told)


def far_test(
    server: Client,
    *,
    policy: list[str] | None,
    arguments: str,
    is_json: bool,
    is_quiet: bool,
    **given: Any,
) -> None:
    """What would become of a call that nobody makes there."""
    body = {"policies": policy or [], "arguments": called(arguments), **given}
    tell_verdict(How(is_json, is_quiet), server.send("POST", "policies", "try", body=body))


def tell_verdict(how: How, found: Document) -> None:
    """What rules say to a call."""
    kind = str(found["verdict"])
    sentence = f"{kind} by {found['rule']}"
    output.show_one(how, "policy.test", found, identity=kind, sentence=sentence)


def called(text: str) -> dict[str, Any]:
    """
    The arguments of a call, of JSON text.

    :raises ValidationFailed: for anything but an object
    """
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise ValidationFailed("--arguments takes a JSON object.", field="arguments")
    return found
