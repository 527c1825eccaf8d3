"""Inserting records, of tapes and of runs."""

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections

from aegis_project import sql
from streaming.models import Record

Row = tuple[int, str, int, str, int, bytes]
"""log id, epoch, seq, ck (16 hex digits), ts (unix ms), the bytes of the data."""

COLUMNS = f"{Record._meta.db_table} (log_id, epoch, seq, ck, ts, body)"
TYPES = ("int8", "text", "int8", "text", "int8", "bytea")
INSERT = f"INSERT INTO {COLUMNS} VALUES (%s, %s, %s, %s, %s, %s)"  # noqa: S608 -- of our own names
# Below, what COPY needs to begin costs more than it saves.
FEW = 8


def insert(rows: Sequence[Row]) -> None:
    """Insert records in the transaction that moves the heads of their logs."""
    # What bulk_create does costs ten times as much, beside the loop that delivers.
    if connection.vendor == "postgresql" and len(rows) > FEW:
        with connection.cursor() as cursor:
            _copy(cursor, rows)
    else:
        sql.execute_all(connections[DEFAULT_DB_ALIAS], INSERT, rows)


def _copy(cursor: Any, rows: Sequence[Row]) -> None:
    with cursor.copy(f"COPY {COLUMNS} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(TYPES)
        for row in rows:
            copy.write_row(row)
