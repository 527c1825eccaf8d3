"""Files that are on their way: brought in piece by piece."""

from uuid import uuid4

from django.db import models
from django.utils import timezone

from sessions.core.links import Kind


class Upload(models.Model):
    """
    A file of ``size`` bytes that comes in pieces, of which ``received`` are here.

    ``parts`` are how many bytes each piece has; a piece is kept under where it begins. ``sha256``
    (hex) is what the whole has to be. ``file`` is the artifact or attachment that it has become.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="uploads"
    )
    kind = models.CharField(max_length=16, choices={one.value: one.value for one in Kind})
    name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    received = models.PositiveBigIntegerField(default=0)
    parts = models.JSONField(default=list)
    sha256 = models.CharField(max_length=64, blank=True)
    file = models.UUIDField(null=True)
    author = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["updated_at"], name="upload_by_age")]

    def __str__(self) -> str:
        return f"{self.name} ({self.received} of {self.size})"

    def places(self) -> list[str]:
        """Where its pieces are kept, in their order, relative to the storage."""
        found, begin = [], 0
        for size in self.parts:
            found.append(self.place(begin))
            begin += size
        return found

    def place(self, begin: int) -> str:
        """Where the piece is kept that begins at this byte."""
        return f"{self.session_id}/uploads/{self.pk}-{begin}"
