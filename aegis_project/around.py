"""Where a page of the interface leads: what belongs to the same session, and each row of a list."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from django.urls import NoReverseMatch, reverse

PLACES = (
    ("Sessions", "sessions"),
    ("Approvals", "approvals"),
    ("Components", "components"),
    ("Topics", "topics"),
    ("Agents", "agents"),
    ("Templates", "templates"),
)
OF_SESSION = (
    ("Session", "session"),
    ("Events", "session-events"),
    ("Messages", "session-messages"),
    ("Components", "session-components"),
    ("Topics", "session-topics"),
    ("Checkpoints", "session-checkpoints"),
)
# What one of a list is called among addresses, and by what of a row its address names it; what
# the address of the list names already comes before that.
ROWS = {
    "sessions": ("session", "id"),
    "agent-sessions": ("agent-session", "sessionId"),
    "session-checkpoints": ("session-checkpoint", "id"),
    "session-components": ("component", "id"),
    "session-topics": ("session-topic", "name"),
    "session-messages": ("session-message", "id"),
    "session-attachments": ("session-attachment", "id"),
    "session-approvals": ("session-approval", "id"),
    "session-artifacts": ("session-artifact", "id"),
    "session-tool-calls": ("session-tool-call", "id"),
    "session-runs": ("run", "id"),
    "session-bookmarks": ("bookmark", "id"),
    "approvals": ("approval", "id"),
    "agents": ("agent", "slug"),
    "agent-triggers": ("trigger", "id"),
    "triggers": ("trigger", "id"),
    "audit": ("audit-entry", "id"),
    "bookmarks": ("bookmark", "id"),
    "components": ("component", "id"),
    "grants": ("grant", "id"),
    "policies": ("policy", "slug"),
    "programs": ("program", "id"),
    "providers": ("provider", "slug"),
    "runs": ("run", "id"),
    "tags": ("tag", "name"),
    "templates": ("template", "slug"),
    "template-versions": ("template-version", "version"),
    "tools": ("tool", "name"),
    "tool-servers": ("tool-server", "slug"),
    "topics": ("session-topic", "session_id", "name"),
    "webhooks": ("webhook", "id"),
}
# What people call a row, the first that it has.
NAMES = ("name", "key", "label", "title", "filename", "tool", "command")

Link = tuple[str, str]


def places() -> list[Link]:
    """Where every page leads."""
    return [(title, reverse(name)) for title, name in PLACES]


def of_session(values: Mapping[str, Any]) -> list[Link]:
    """What belongs to the session of an address, the playground with its sockets among it."""
    session = values.get("session")
    if not session:
        return []
    found = [(title, reverse(name, kwargs={"session": session})) for title, name in OF_SESSION]
    return [*found, ("Playground", f"{reverse('playground')}?session={quote(str(session))}")]


def socket(values: Mapping[str, Any], *, host: str, is_secure: bool) -> str:
    """The live socket of the session of an address; nothing where there is none."""
    session = values.get("session")
    scheme = "wss" if is_secure else "ws"
    return f"{scheme}://{host}/ws/sessions/{quote(str(session))}" if session else ""


def rows(name: str, data: Any, values: Mapping[str, Any]) -> list[Link]:
    """Each row of a list that has an address of its own, as people call it and by what names it."""
    one, *fields = ROWS.get(name, ("",))
    found = data.get("data") or data.get("sessions") if isinstance(data, Mapping) else None
    if not one or not isinstance(found, list):
        return []
    named = [row for row in found if isinstance(row, Mapping) and all(map(row.get, fields))]
    links = [(_title(row, fields[-1]), _address(one, values, row, fields)) for row in named]
    return [(title, address) for title, address in links if address]


def _title(row: Mapping[str, Any], field: str) -> str:
    said = next((str(row[name]) for name in NAMES if row.get(name)), "")
    value = str(row[field])
    return f"{said} · {value}" if said and said != value else value


def _address(
    name: str, values: Mapping[str, Any], row: Mapping[str, Any], fields: list[str]
) -> str:
    last = [row[field] for field in fields]
    for before in ([], [*values.values()]):
        with suppress(NoReverseMatch):
            return reverse(name, args=[*before, *last])
    return ""
