"""Secrets that machines show, kept only as hashes."""

from datetime import datetime, timedelta
from typing import Self
from uuid import uuid4

from django.conf import settings
from django.db import models

EXPIRES_SOON = timedelta(days=7)
"""When somebody is told that the credential of a program will expire."""


class CredentialQuerySet(models.QuerySet["Credential"]):
    """Questions that many callers ask of credentials."""

    def usable(self, *, at: datetime) -> Self:
        """Neither revoked nor expired at this moment."""
        not_expired = models.Q(expires_at=None) | models.Q(expires_at__gt=at)
        return self.filter(not_expired, revoked_at=None)


class Credential(models.Model):
    """
    A hashed secret with scopes; a session token when it is bound to a session.

    ``prefix`` finds the row and is shown; ``digest`` is the SHA-256 of the whole secret in hex.
    ``patterns`` are the topic patterns that may be subscribed and published.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=100, blank=True)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    patterns = models.JSONField(default=list)
    team = models.ForeignKey(
        "auth.Group", on_delete=models.CASCADE, null=True, related_name="credentials"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="credentials"
    )
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, null=True, related_name="credentials"
    )
    component = models.ForeignKey(
        "aegis_components.Component",
        on_delete=models.CASCADE,
        null=True,
        related_name="credentials",
    )
    created_by = models.CharField(max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_transport = models.CharField(max_length=32, blank=True, editable=False)

    objects = CredentialQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name or self.prefix

    def is_usable(self, *, at: datetime) -> bool:
        """Whether the credential opens anything at this moment."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > at)
