"""The lease by which a server process is known to be alive."""

from uuid import uuid4

from django.db import models


class Lease(models.Model):
    """
    One running server process.

    ``fence`` grows each time the lease is taken; whoever holds an older number may write nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    url = models.CharField(max_length=255, blank=True)
    expires_at = models.DateTimeField()
    fence = models.BigIntegerField(default=1)
    started_at = models.DateTimeField(auto_now_add=True)
    reported_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="lease_expires_at")]

    def __str__(self) -> str:
        return self.url or str(self.pk)
