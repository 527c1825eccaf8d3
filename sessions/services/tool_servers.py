"""Changing which tool servers agents may use; nobody but an administrator can."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import orjson
from django.db import IntegrityError, transaction

from aegis_project import sealed
from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import tool_servers as rules
from sessions.core.errors import ToolServerAlreadyExists, ToolServerNotFound
from sessions.core.tool_servers import ToolServerDraft
from sessions.models import ToolServer
from streaming import hints
from streaming.services.commands import Trace, command

SCOPE = "tool_servers:write"
# A command is started by every worker, as a program is by a launcher.
STARTING = "programs:write"
FIELDS = tuple(ToolServerDraft.__dataclass_fields__)
WAY = ("url", "command")


class Entered(NamedTuple):
    """A tool server as it is now; the audit says which fields were given, and not its secret."""

    tool_server: ToolServer
    fields: tuple[str, ...]

    def audit(self) -> Trace:
        row = self.tool_server
        way = {"url": row.url} if row.url else {"command": row.command[:1]}
        detail = {**way, "is_active": row.is_active, "fields": list(self.fields)}
        return Trace(session_id=None, target=row.slug, detail=detail)


@command("tool_server.create", scope=SCOPE)
def create(*, principal: Principal, draft: ToolServerDraft) -> Entered:
    """
    Register a tool server; agents use its tools as ``mcp.SLUG.NAME`` when they name them.

    :raises PermissionDenied: for a command without the scope programs:write
    :raises ValidationFailed: for a field that cannot be
    :raises ToolServerAlreadyExists: if there is one of this slug
    """
    values = asdict(draft)
    row = ToolServer()
    _set(row, values, principal)
    given = tuple(name for name, value in values.items() if value)
    return Entered(_save(row), given)


@command("tool_server.update", scope=SCOPE)
def update(*, principal: Principal, tool_server: str, changes: Mapping[str, Any]) -> Entered:
    """
    Change fields of a tool server; an empty ``secret`` takes it away.

    :raises ToolServerNotFound: if there is none
    :raises PermissionDenied: for a command without the scope programs:write
    :raises ValidationFailed: for a field that is none, a value that cannot be, or another address
        or command without the secret for it
    """
    row = _locked(tool_server)
    is_elsewhere = any(changes.get(name, getattr(row, name)) != getattr(row, name) for name in WAY)
    if is_elsewhere and row.secret and "secret" not in changes:
        raise ValidationFailed("Give the secret again with another address.", field="secret")
    _set(row, changes, principal)
    return Entered(_save(row), tuple(changes))


@command("tool_server.remove", scope=SCOPE)
def remove(*, principal: Principal, tool_server: str) -> Entered:
    """
    Forget a tool server and its secret; its tools are gone from every agent.

    :raises ToolServerNotFound: if there is none
    """
    row = _locked(tool_server)
    removed = Entered(ToolServer.objects.get(pk=row.pk), ())
    row.delete()
    hints.send(hints.Hint("tool_server", row.slug))
    return removed


def _locked(slug: str) -> ToolServer:
    rows = ToolServer.objects.select_for_update(of=("self",), no_key=True)
    row = rows.filter(slug=slug).first() if "\x00" not in slug else None
    if row is None:
        raise ToolServerNotFound(tool_server=slug[:100])
    return row


def _set(row: ToolServer, values: Mapping[str, Any], principal: Principal) -> None:
    unknown = sorted(values.keys() - set(FIELDS))
    if unknown:
        raise ValidationFailed("A tool server has no such fields.", fields=unknown)
    rules.check(values)
    if values.get("command"):
        principal.require(STARTING)
    for name, value in values.items():
        if name == "secret":
            row.secret = sealed.seal(orjson.dumps(value).decode()) if value else ""
        else:
            setattr(row, name, list(value) if name == "command" else value)
    rules.check_way(url=row.url, command=row.command)


def _save(row: ToolServer) -> ToolServer:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        message = f"A tool server {row.slug} exists."
        raise ToolServerAlreadyExists(message, slug=row.slug) from None
    hints.send(hints.Hint("tool_server", row.slug))
    return row
