"""Where a page of the interface leads: what belongs to the same session, and each row of a list."""

from collections.abc import Mapping
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
# What one of a list is called among addresses, and by what its address names it.
ROWS = {
    "sessions": ("session", "id"),
    "agent-sessions": ("agent-session", "sessionId"),
    "approvals": ("approval", "id"),
    "agents": ("agent", "slug"),
    "templates": ("template", "slug"),
    "policies": ("policy", "slug"),
    "components": ("component", "id"),
    "session-components": ("component", "id"),
    "webhooks": ("webhook", "id"),
    "providers": ("provider", "slug"),
}

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


def rows(name: str, data: Any) -> list[Link]:
    """Each row of a list that has an address of its own, by what names it."""
    one, field = ROWS.get(name, ("", ""))
    found = data.get("data") or data.get("sessions") if isinstance(data, Mapping) else None
    if not one or not isinstance(found, list):
        return []
    named = [row[field] for row in found if isinstance(row, Mapping) and row.get(field)]
    return [(str(value), address) for value in named if (address := _address(one, value))]


def _address(name: str, value: Any) -> str:
    try:
        return reverse(name, args=[value])
    except NoReverseMatch:
        return ""
