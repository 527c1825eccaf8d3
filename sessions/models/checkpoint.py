"""Positions that a session can come back to, and sessions that were made from one."""

from typing import Self
from uuid import UUID, uuid4

from django.db import models
from django.utils import timezone

from sessions.core.checkpoints import Cause, Effects, Moment
from sessions.core.lifecycle import State


class Snapshot(models.Model):
    """
    What a session remembered and who took part in it, once for all checkpoints that hold the same.

    ``body`` is canonical JSON ``{"memory": …, "participants": […]}``, ``digest`` the SHA-256 of it,
    ``size`` its bytes.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    session = models.ForeignKey(
        "aegis_sessions.Session",
        on_delete=models.CASCADE,
        related_name="snapshots",
        db_index=False,
    )
    digest = models.CharField(max_length=64)
    body = models.TextField()
    size = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "digest"], name="snapshot_in_session"),
        ]

    def __str__(self) -> str:
        return self.digest[:12]


class CheckpointQuerySet(models.QuerySet["Checkpoint"]):
    """Questions that many callers ask of checkpoints."""

    def of_session(self, session_id: UUID | str) -> Self:
        """Those of a session, the newest first."""
        return self.filter(session_id=session_id).order_by("-seq", "-created_at")


class Checkpoint(models.Model):
    """
    A position of a session: pointers, and a snapshot that others may share.

    ``epoch``, ``seq`` and ``ck`` are the place in its ledger that everything else here is of.
    ``positions`` is {topic: {epoch, seq, ck}}, ``runs`` the open runs then, ``clock`` where the
    clock of a historical session was saved. ``message`` is the last one of the chosen branch,
    ``last_run`` the place of the last run; ``size`` counts the bytes that it adds.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    session = models.ForeignKey(
        "aegis_sessions.Session",
        on_delete=models.CASCADE,
        related_name="checkpoints",
        db_index=False,
    )
    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="checkpoints")
    epoch = models.CharField(max_length=16)
    seq = models.BigIntegerField()
    ck = models.CharField(max_length=16)
    cause = models.CharField(max_length=16, choices={one.value: one.value for one in Cause})
    moment = models.CharField(
        max_length=32, blank=True, choices={one.value: one.value for one in Moment}
    )
    label = models.CharField(max_length=200, blank=True)
    author = models.CharField(max_length=200)
    state = models.CharField(max_length=16, choices={one.value: one.value for one in State})
    activation = models.PositiveIntegerField()
    positions = models.JSONField(default=dict)
    runs = models.JSONField(default=list)
    clock = models.JSONField(null=True)
    message = models.UUIDField(null=True)
    message_count = models.PositiveIntegerField(default=0)
    last_run = models.PositiveIntegerField(default=0)
    size = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CheckpointQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["session", "-seq", "-created_at"], name="checkpoint_of_session"),
        ]

    def __str__(self) -> str:
        return self.label or f"{self.moment or self.cause} at {self.seq}"


class Fork(models.Model):
    """
    From where a session was forked, and what its tool calls do.

    ``seq`` is the place in the parent's ledger, ``runs`` the ids of the parent's runs that were
    open there and ``last_run`` the place of its last one: what came of these and of later ones is
    the record. A test run of a template has no parent, and begins at 0.
    """

    session = models.OneToOneField(
        "aegis_sessions.Session", on_delete=models.CASCADE, primary_key=True, related_name="fork"
    )
    parent = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.SET_NULL, null=True, related_name="forks"
    )
    checkpoint = models.ForeignKey(
        Checkpoint, on_delete=models.SET_NULL, null=True, related_name="forks"
    )
    seq = models.BigIntegerField()
    effects = models.CharField(max_length=16, choices={one.value: one.value for one in Effects})
    runs = models.JSONField(default=list)
    last_run = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.session_id} of {self.parent_id} at {self.seq}"
