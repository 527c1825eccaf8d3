"""The rows of streaming."""

from streaming.models.audit import AuditChain, AuditEntry, IdempotencyKey
from streaming.models.lease import Lease
from streaming.models.log import Cursor, Event, Log, Record, Segment
from streaming.models.report import Report
from streaming.models.strain import Strain

__all__ = [
    "AuditChain",
    "AuditEntry",
    "Cursor",
    "Event",
    "IdempotencyKey",
    "Lease",
    "Log",
    "Record",
    "Report",
    "Segment",
    "Strain",
]
