"""`aegis approval` against a server that was named."""

from datetime import UTC, datetime
from typing import Any

from sessions.management import beginnings, far, output, session_options, verbs
from sessions.management.client import Client
from sessions.management.far import Columns, Document
from sessions.management.output import How, Misused


def _left(row: Document) -> str:
    if row["state"] != "pending" or row["clock_stopped_at"]:
        return ""
    ends = datetime.fromisoformat(row["expires_at"])
    return f"{max(0.0, (ends - datetime.now(UTC)).total_seconds()):.0f} s left"


APPROVALS: Columns = {
    "APPROVAL": lambda row: row["id"],
    "SESSION": lambda row: row["session_key"],
    "AGENT": lambda row: row["agent"],
    "TOOL": lambda row: row["tool_call"]["name"],
    "RISK": lambda row: row["tool_call"]["risk"],
    "STATE": lambda row: row["state"],
    "LEFT": _left,
    "CLAIMED": lambda row: row["claimed_by"],
}


def several(server: Client, *, session: str, state: Any, limit: int, **given: Any) -> None:
    """What waits for people there."""
    asked = {"session": session, "state": state.value, "expiring": given["expiring"] or None}
    mine = "true" if given["mine"] else ""
    rows, has_more = server.several("approvals", limit=limit, mine=mine, **asked)
    how = How(given["is_json"], given["is_quiet"])
    far.several(how, "approval.list", APPROVALS, rows, has_more=has_more)


def show(server: Client, *, approval: str, is_json: bool, is_quiet: bool) -> None:
    """What is asked, and what it rests on."""
    row = server.get("approvals", _whole(server, approval))
    how = How(is_json, is_quiet)
    far.one(how, "approval.show", APPROVALS, row)
    if not (is_json or is_quiet):
        for name, value in row["tool_call"]["arguments"].items():
            output.plain(f"  {name} = {output.dump(value)}")


def approve(
    server: Client, *, approval: list[str], edit: list[str] | None, remember: str, **given: Any
) -> None:
    """Let calls by."""
    if edit and len(approval) > 1:
        raise Misused("Arguments are edited of one approval at a time.")
    body: dict[str, Any] = {"approved": True, "reason": given["reason"]}
    if edit:
        one = _whole(server, approval[0])
        arguments = server.get("approvals", one)["tool_call"]["arguments"]
        body["edited_arguments"] = {
            **arguments,
            **session_options.assigned(edit, option="--edit"),
        }
    if remember:
        body["remember"] = {"scope": remember}
    _decide(server, "approve", approval, body, given)


def reject(server: Client, *, approval: list[str], reason: str, **given: Any) -> None:
    """Let calls not by."""
    _decide(server, "reject", approval, {"approved": False, "reason": reason}, given)


def claim(server: Client, *, approval: str, release: bool, is_json: bool, is_quiet: bool) -> None:
    """Let the others see that you look at it."""
    one = _whole(server, approval)
    row = server.send("POST", "approvals", one, "claim", body={"release": release})
    far.one(How(is_json, is_quiet), "approval.claim", APPROVALS, row)


def hand_over(server: Client, *, approval: str, to: str, is_json: bool, is_quiet: bool) -> None:
    """Leave it to somebody else."""
    row = server.send("POST", "approvals", _whole(server, approval), "claim", body={"to": to})
    far.one(How(is_json, is_quiet), "approval.hand-over", APPROVALS, row)


def _whole(server: Client, approval: str) -> str:
    return beginnings.far_whole(server, "approvals", reference=approval)


def _decide(
    server: Client, verb: str, ids: list[str], body: dict[str, Any], given: dict[str, Any]
) -> None:
    if given["is_dry"]:
        raise Misused("--dry-run reads what is on this machine.")
    how = How(given["is_json"], given["is_quiet"])
    results = verbs.each(
        ids,
        lambda one: server.send("POST", "approvals", _whole(server, one), "decide", body=body),
    )
    if len(ids) > 1:
        refused = {key: error.as_dict() for key, error in results.failures.items()}
        far.several(how, f"approval.{verb}.several", APPROVALS, results.done, refused=refused)
    elif results.done:
        far.one(how, f"approval.{verb}", APPROVALS, results.done[0])
    results.end(how)
