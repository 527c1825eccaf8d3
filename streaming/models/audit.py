"""What was asked for, by whom, and how it was answered."""

from django.db import models


class AuditEntry(models.Model):
    """
    One command and its outcome; rows are appended and never changed.

    ``place``, ``previous`` and ``digest`` are written by the sealer, which puts the rows into one
    hash chain; until then they are empty.
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
        on_delete=models.SET_NULL,
        null=True,
        related_name="audit_entries",
        db_constraint=False,
    )
    target = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    code = models.CharField(max_length=40, blank=True)
    detail = models.JSONField(default=dict)
    place = models.BigIntegerField(null=True, unique=True, editable=False)
    previous = models.CharField(max_length=64, blank=True, editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["session", "at"], name="audit_session_at")]

    def __str__(self) -> str:
        return f"{self.command} by {self.actor}: {self.outcome}"


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
