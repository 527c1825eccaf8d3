"""`aegis credential` against a server that was named."""

from datetime import UTC, datetime
from typing import Any

from components.core.errors import CredentialNotFound
from sessions.core import keys
from sessions.management import far, listing, output, verbs
from sessions.management.client import Client
from sessions.management.far import Columns, Document
from sessions.management.output import How

MOST = 10_000
DAY, HOUR = 86_400, 3_600


def _standing(row: Document) -> str:
    if row["revoked_at"]:
        return "revoked"
    ends = row["expires_at"]
    return "expired" if ends and datetime.fromisoformat(ends) <= datetime.now(UTC) else "usable"


CREDENTIALS: Columns = {
    "PREFIX": lambda row: row["prefix"],
    "STATE": _standing,
    "NAME": lambda row: row["name"],
    "TEAM": lambda row: row["team"] or "–",
    "SCOPES": lambda row: " ".join(row["scopes"]),
    "TOPICS": lambda row: " ".join(row["patterns"]),
    "USED": lambda row: far.moment(row["last_used_at"]),
}


def issue(
    server: Client,
    *,
    name: str,
    scope: list[str],
    pattern: list[str],
    team: str,
    days: float,
    is_json: bool,
    is_quiet: bool,
) -> None:
    """Issue a credential there and print its secret, this once."""
    body = listing.said(patterns=pattern, team=team, lifetime_seconds=int(days * DAY) or None)
    made = server.send("POST", "credentials", body={"name": name, "scopes": scope, **body})
    _show_secret(How(is_json, is_quiet), "credential.issue", made)


def several(server: Client, *, usable: bool, limit: int, is_json: bool, is_quiet: bool) -> None:
    """The credentials of one's teams there."""
    asked = {"usable": "true" if usable else ""}
    rows, has_more = server.several("credentials", limit=limit, **asked)
    if has_more:
        output.say(f"There are more than {limit}; see --limit.")
    how = How(is_json, is_quiet)
    far.several(how, "credential.list", CREDENTIALS, rows, has_more=has_more)


def rotate(
    server: Client, *, credential: str, overlap: float, is_json: bool, is_quiet: bool
) -> None:
    """Print a fresh secret with the same rights, this once."""
    found = _found(server, credential)
    body = {"overlap_seconds": int(overlap * HOUR)}
    made = server.send("POST", "credentials", found["id"], "rotate", body=body)
    _show_secret(How(is_json, is_quiet), "credential.rotate", made)


def revoke(
    server: Client, *, credential: list[str], is_sure: bool, is_json: bool, is_quiet: bool
) -> None:
    """Revoke credentials there."""
    verbs.confirm(f"Revoke {', '.join(credential)}?", is_sure=is_sure)

    def act(reference: str) -> Document:
        found = _found(server, reference)
        server.send("DELETE", "credentials", found["id"])
        return _found(server, found["id"])

    how, results = How(is_json, is_quiet), verbs.each(credential, act)
    if results.done or len(credential) > 1:
        far.several(how, "credential.revoke", CREDENTIALS, results.done)
    results.end(how)


def _found(server: Client, reference: str) -> Document:
    """
    The credential of this id or prefix.

    :raises CredentialNotFound: if none has it
    """
    field = "id" if keys.as_uuid(reference) else "prefix"
    rows, _ = server.several("credentials", limit=MOST)
    found: Document | None = next((one for one in rows if one[field] == reference), None)
    if found is None:
        raise CredentialNotFound(credential=reference)
    return found


def _show_secret(how: How, command: str, made: dict[str, Any]) -> None:
    output.show_one(how, command, made, identity=made["secret"], sentence=made["secret"])
