"""Addresses outside that hear of events, and what was sent there."""

from uuid import uuid4

from django.db import models
from django.utils import timezone


class Webhook(models.Model):
    """
    An address that hears of events of its team's sessions, those whose types match ``events``.

    ``secret`` signs what is sent and is stored encrypted. It hears of what happened since
    ``created_at``.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    url = models.URLField(max_length=500)
    events = models.JSONField(default=list)
    team = models.ForeignKey("auth.Group", on_delete=models.CASCADE, related_name="webhooks")
    session = models.ForeignKey(
        "aegis_sessions.Session",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="webhooks",
    )
    secret = models.TextField(editable=False)
    is_active = models.BooleanField(default=True)
    created_by = models.CharField(max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.url


class Push(models.Model):
    """
    A webhook that a client of A2A gave for one task: it hears of that run alone, as of a task.

    ``name`` is the client's word for it. ``token`` and ``credentials`` are sent with each message
    and stored encrypted, ``scheme`` goes before the credentials.
    """

    webhook = models.OneToOneField(Webhook, on_delete=models.CASCADE, related_name="push")
    run = models.ForeignKey("aegis_sessions.Run", on_delete=models.CASCADE, related_name="pushes")
    name = models.CharField(max_length=128)
    token = models.TextField(blank=True, editable=False)
    scheme = models.CharField(max_length=64, blank=True)
    credentials = models.TextField(blank=True, editable=False)

    class Meta:
        verbose_name_plural = "pushes"
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="push_of_run"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.run_id}"


class Hearing(models.Model):
    """How far into the ledger of a session a webhook's deliveries have been written down."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="hearings")
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="+"
    )
    seq = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["webhook", "session"], name="hearing_of_session"),
        ]

    def __str__(self) -> str:
        return f"{self.webhook_id} up to {self.seq} of {self.session_id}"


class Delivery(models.Model):
    """One event on its way to a webhook: at least once, in the order of its session's ledger."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="+"
    )
    seq = models.BigIntegerField()
    type = models.CharField(max_length=64)
    state = models.CharField(
        max_length=16,
        choices={one: one for one in ("due", "sent", "failed")},
        default="due",
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=500, blank=True)
    lease = models.ForeignKey(
        "aegis_streaming.Lease", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["webhook", "session", "seq"], name="delivery_of_event"),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(state="due"), name="delivery_due"),
            models.Index(fields=["webhook", "-created_at", "-id"], name="delivery_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.type} ({self.state})"
