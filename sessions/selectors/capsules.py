"""What a session's capsule holds: its rows as JSON, the same on every database."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import BinaryField, Field, JSONField, Model, QuerySet

from components.models import Component
from sessions.core import capsule, checkpoints, tool_calls
from sessions.core.capsule_columns import COLUMNS
from sessions.core.run_log import PREFIX
from sessions.models import (
    Agent,
    Approval,
    Artifact,
    Attachment,
    Checkpoint,
    Message,
    Policy,
    Replay,
    Run,
    Session,
    Snapshot,
    ToolCall,
)
from streaming.core import position
from streaming.models import Event, Log, Record
from streaming.models.log import LEDGER

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """
    One kind of rows: of which session they are, and in which order.

    ``order`` are columns by which the same rows are in the same order everywhere.
    """

    name: str
    model: type[Model]
    order: tuple[str, ...] = ("pk",)
    session: str = "session_id"

    def fields(self) -> list["Field[Any, Any]"]:
        """The columns that a capsule has."""
        every = self.model._meta.concrete_fields
        return [one for one in every if one.attname in COLUMNS[self.name]]

    def rows(self, session_id: UUID) -> QuerySet[Any]:
        """Those of one session."""
        found = self.model._default_manager.filter(**{self.session: session_id})
        return found.order_by(*self.order)


TABLES = (
    Table(
        "session",
        Session,
        session="pk",
    ),
    Table(
        "components",
        Component,
        ("name",),
    ),
    Table("runs", Run, ("place",)),
    Table("messages", Message, ("place",)),
    Table("attachments", Attachment),
    Table("artifacts", Artifact),
    Table("tool_calls", ToolCall),
    Table("approvals", Approval),
    Table("snapshots", Snapshot),
    Table("checkpoints", Checkpoint),
    Table("replays", Replay),
)
TABLE_COUNT = len(TABLES) + 3
"""How many members ``tables`` gives: these, logs, events and records."""
LOG = ("name", "epoch", "start", "head", "ck", "recorded", "ended_at")
EVENT = ("seq", "ck", "ts", "type", "actor", "cause", "body")


def tables(session_id: UUID) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The members of a session's own rows, each with its lines."""
    for table in TABLES:
        yield table.name, _lines(_rows(table, session_id))
    logs = [_log(row) for row in Log.objects.filter(session=session_id).order_by("name")]
    clean = {row["name"]: _without_secrets(session_id, row) for row in _of_runs(logs)}
    yield "logs", _lines(iter(logs))
    yield "events", _lines(_events(session_id))
    yield "records", _lines(_records(session_id, logs, clean))


def used(session_id: UUID) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The agents and policies that a session went by, as they are now."""
    slugs = set(Run.objects.filter(session=session_id).values_list("agent_slug", flat=True))
    agents = Agent.objects.filter(slug__in=slugs).select_related("policy").order_by("slug")
    names = ("slug", "name", "model", "instructions", "tools", "settings", "limits")
    yield "agents", _lines({name: plain(getattr(one, name)) for name in names} for one in agents)
    ruled = ToolCall.objects.filter(session=session_id).values_list("rule", flat=True)
    policies = Policy.objects.filter(slug__in={rule.partition("/")[0] for rule in ruled})
    kept = ("slug", "name", "rules", "version")
    found = policies.order_by("slug")
    yield "policies", _lines({name: plain(getattr(one, name)) for name in kept} for one in found)


def files(session_id: UUID) -> Iterator[tuple[str, str]]:
    """The files of a session: SHA-256, and path in the storage."""
    for model in (Attachment, Artifact):
        rows = model.objects.filter(session=session_id).order_by("sha256")
        yield from rows.values_list("sha256", "path")


def _lines(rows: Iterator[Row]) -> Iterator[bytes]:
    return (tool_calls.canonical(row) for row in rows)


def _rows(table: Table, session_id: UUID) -> Iterator[Row]:
    fields = table.fields()
    change = CHANGES.get(table.name)
    for one in table.rows(session_id).iterator(chunk_size=500):
        row = {field.attname: shown(field, getattr(one, field.attname)) for field in fields}
        yield change(row) if change else row


def shown(field: "Field[Any, Any]", value: Any) -> Any:
    """The value of a column as JSON; of documents without secrets."""
    if isinstance(field, JSONField):
        return capsule.redact(value)
    if isinstance(field, BinaryField):
        return base64.b64encode(bytes(value)).decode()
    return plain(value)


def plain(value: Any) -> Any:
    """A value as JSON has it, the same whatever database it comes from."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:.6f}"
    return capsule.redact(value)


def _snapshot(row: Row) -> Row:
    """A snapshot is named by what it holds, also without its secrets."""
    body = checkpoints.written(capsule.redact(msgspec.json.decode(row["body"])))
    return {
        **row,
        "body": body,
        "digest": checkpoints.digest(body),
        "size": len(body.encode()),
    }


CHANGES: Mapping[str, Callable[[Row], Row]] = {"snapshots": _snapshot}


def _log(row: Log) -> Row:
    return {name: plain(getattr(row, name)) for name in LOG}


def _of_runs(logs: list[Row]) -> Iterator[Row]:
    return (row for row in logs if row["name"].startswith(PREFIX))


def _without_secrets(session_id: UUID, log: Row) -> list[Row] | None:
    """The records of a run's log with a chain of their own, if there was a secret in them."""
    found = [_record(*one) for one in _of_log(session_id, log["name"])]
    bodies = [base64.b64decode(row["body"]) for row in found]
    clean = [_clean(body) for body in bodies]
    if clean == bodies:
        return None
    ck = position.genesis(log["name"], log["epoch"])
    for row, body in zip(found, clean, strict=True):
        ck = position.chain(ck, row["seq"], body)
        row["ck"], row["body"] = ck.hex(), base64.b64encode(body).decode()
    log["ck"] = ck.hex()
    return found


def _clean(body: bytes) -> bytes:
    value = msgspec.json.decode(body)
    found = capsule.redact(value)
    return body if found == value else msgspec.json.encode(found)


def _events(session_id: UUID) -> Iterator[Row]:
    rows = Event.objects.filter(log__session=session_id, log__name=LEDGER).order_by("seq")
    for one in rows.iterator(chunk_size=500):
        yield {name: plain(getattr(one, name)) for name in EVENT}


def _of_log(session_id: UUID, name: str) -> Iterator[tuple[Any, ...]]:
    rows = Record.objects.filter(log__session=session_id, log__name=name).order_by("epoch", "seq")
    return rows.values_list("log__name", "epoch", "seq", "ck", "ts", "body").iterator(500)


def _records(
    session_id: UUID, logs: list[Row], clean: Mapping[str, list[Row] | None]
) -> Iterator[Row]:
    for log in logs:
        known = clean.get(log["name"])
        if known is not None:
            yield from known
        else:
            yield from (_record(*one) for one in _of_log(session_id, log["name"]))


def _record(log: str, epoch: str, seq: int, ck: str, ts: int, body: Any) -> Row:
    return {
        "log": log,
        "epoch": epoch,
        "seq": seq,
        "ck": ck,
        "ts": ts,
        "body": base64.b64encode(bytes(body)).decode(),
    }
