"""The rows of streaming."""

from streaming.models.audit import AuditEntry, IdempotencyKey
from streaming.models.lease import Lease
from streaming.models.log import Cursor, Event, Log, Record, Segment
from streaming.models.report import Report

__all__ = [
    "AuditEntry",
    "Cursor",
    "Event",
    "IdempotencyKey",
    "Lease",
    "Log",
    "Record",
    "Report",
    "Segment",
]
