"""What was asked for, by whom, and how it was answered."""

from typing import Any, NoReturn
from uuid import uuid4

from django.db import models


class Untouchable(Exception):
    """An entry of the audit is never changed and never removed."""


class AuditEntries(models.QuerySet["AuditEntry"]):
    """Entries of the audit, which can be read and appended, no more."""

    def update(self, **_: Any) -> NoReturn:
        raise Untouchable("An entry of the audit is never changed.")

    def delete(self) -> NoReturn:
        raise Untouchable("An entry of the audit is never removed.")


class AuditEntry(models.Model):
    """
    One command and its outcome; rows are appended and never changed, which triggers hold, too.

    ``place``, ``previous`` and ``digest`` are written by the sealer, which puts the rows into one
    hash chain; until then they are empty. The session stays named when its row is gone.
    """

    class Outcome(models.TextChoices):
        """Whether the command was carried out."""

        OK = "ok", "Carried out"
        REFUSED = "refused", "Refused"

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    command = models.CharField(max_length=64)
    actor = models.CharField(max_length=200)
    principal_id = models.CharField(max_length=128)
    transport = models.CharField(max_length=32, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    session = models.ForeignKey(
        "aegis_sessions.Session",
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="audit_entries",
        db_constraint=False,
        db_index=False,
    )
    target = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    code = models.CharField(max_length=40, blank=True)
    detail = models.JSONField(default=dict)
    place = models.BigIntegerField(null=True, unique=True, editable=False)
    previous = models.CharField(max_length=64, blank=True, editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)

    objects = AuditEntries.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["session", "at"], name="audit_session_at"),
            models.Index(fields=["id"], condition=models.Q(place=None), name="audit_unsealed"),
        ]

    def __str__(self) -> str:
        return f"{self.command} by {self.actor}: {self.outcome}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """
        Append the entry.

        :raises Untouchable: if it is there already
        """
        if not self._state.adding:
            raise Untouchable("An entry of the audit is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """
        Nobody removes an entry.

        :raises Untouchable: always
        """
        raise Untouchable("An entry of the audit is never removed.")


class AuditChain(models.Model):
    """
    The end of the chain, one row: what was sealed last, and which process seals now.

    Whoever seals locks it, so that two never do at once; a process that was held up finds another
    ``holder`` under the lock and writes nothing. ``told_at`` is when the log last heard of the end.
    """

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    place = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    told_at = models.DateTimeField(null=True)
    holder = models.UUIDField(default=uuid4)
    held_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.place} {self.digest}"


class IdempotencyKey(models.Model):
    """The first answer to a request that carried a key, for replay during 24 hours."""

    principal_id = models.CharField(max_length=128)
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["principal_id", "key"], name="idempotency_key_once"),
        ]

    def __str__(self) -> str:
        return self.key
