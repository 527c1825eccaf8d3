"""Logs and what stands in them."""

from typing import Self
from uuid import UUID

from django.db import models

LEDGER = "ledger"
ERRORS = ("error.occurred", "component.lost", "component.failed", "component.reported")
"""The types of events that tell of an error."""


class LogQuerySet(models.QuerySet["Log"]):
    """Questions that many callers ask of logs."""

    def ledger_of(self, session_id: UUID | str) -> Self:
        return self.filter(session_id=session_id, name=LEDGER)


class Log(models.Model):
    """
    One log of a session: its ledger, a run's output, or a listed topic.

    The row is the truth for the ledger and for runs; ``head`` and ``ck`` move only under its lock,
    in the transaction that inserts what they count. For recorded topics it says how far the tape
    is, moved in the same way per commit group by the process of ``writer``; ``fence`` grows with
    each that takes the tape over. For other fast topics it is a listing, written behind by the
    process that holds them. ``ck`` is 16 hex digits, ``seq`` begins at 1.
    """

    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="logs", db_index=False
    )
    name = models.CharField(max_length=255)
    epoch = models.CharField(max_length=16)
    start = models.BigIntegerField(default=1)
    head = models.BigIntegerField(default=0)
    ck = models.CharField(max_length=16)
    recorded = models.BooleanField(default=False)
    writer = models.ForeignKey(
        "aegis_streaming.Lease", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    fence = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = LogQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "name"], name="log_name_in_session"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.session_id}"


class IsError(models.Func):
    """Whether an event is of one of the types of errors, in the words of the index of these."""

    template = f"%(expressions)s IN ({', '.join(map(repr, ERRORS))})"
    output_field = models.BooleanField()


class EventQuerySet(models.QuerySet["Event"]):
    """Questions that many callers ask of events."""

    def errors(self) -> Self:
        """Those that tell of an error; SQLite finds them by their index in its own words alone."""
        return self.filter(IsError("type"))


class Event(models.Model):
    """One entry of a ledger; ``body`` is the JSON text that every reader gets."""

    log = models.ForeignKey(Log, on_delete=models.CASCADE, related_name="events", db_index=False)
    seq = models.BigIntegerField()
    ck = models.CharField(max_length=16)
    ts = models.DateTimeField()
    type = models.CharField(max_length=64)
    actor = models.CharField(max_length=200)
    cause = models.CharField(max_length=200, blank=True)
    body = models.TextField()

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["log", "seq"], name="event_seq_in_log"),
        ]
        indexes = [
            models.Index(
                fields=["log", "ts"],
                condition=models.Q(type__in=ERRORS),
                name="event_error_of_log",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.type}"


class Record(models.Model):
    """One entry of a run's output or of a recorded topic; ``body`` is the bytes of its data."""

    log = models.ForeignKey(Log, on_delete=models.CASCADE, related_name="records", db_index=False)
    epoch = models.CharField(max_length=16)
    seq = models.BigIntegerField()
    ck = models.CharField(max_length=16)
    ts = models.BigIntegerField(help_text="Unix milliseconds")
    body = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["log", "epoch", "seq"], name="record_seq_in_epoch"),
        ]

    def __str__(self) -> str:
        return f"{self.epoch}:{self.seq}"


class Segment(models.Model):
    """
    Records of a tape that were counted together: those up to ``last`` behind the segment before.

    ``seen_at`` is when that was, which is no record's own ``ts``; ``bytes`` counts their bodies.
    """

    log = models.ForeignKey(Log, on_delete=models.CASCADE, related_name="segments")
    epoch = models.CharField(max_length=16)
    last = models.BigIntegerField()
    bytes = models.BigIntegerField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["log", "epoch", "last"], name="segment_of_tape"),
        ]

    def __str__(self) -> str:
        return f"{self.epoch}:{self.last}"


class Cursor(models.Model):
    """How far a component says that it has processed a log."""

    component = models.ForeignKey(
        "aegis_components.Component", on_delete=models.CASCADE, related_name="cursors"
    )
    log = models.ForeignKey(Log, on_delete=models.CASCADE, related_name="cursors")
    epoch = models.CharField(max_length=16)
    seq = models.BigIntegerField()
    ck = models.CharField(max_length=16)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["component", "log"], name="cursor_of_component"),
        ]

    def __str__(self) -> str:
        return f"{self.component_id} at {self.epoch}:{self.seq}"
