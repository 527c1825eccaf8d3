"""What servers counted of what went badly."""

from django.db import models


class Strain(models.Model):
    """
    What one process counted of one thing over some seconds.

    ``subject`` is the shape of a slow statement, or the topic of which records were lost; ``who``
    lost them, ``worst`` is the slowest in milliseconds. Written behind, and kept for an hour.
    """

    class Kind(models.TextChoices):
        """What is counted."""

        STATEMENT = "statement", "Slow statements"
        LOSS = "loss", "Lost records"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    subject = models.CharField(max_length=300)
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="strains", null=True
    )
    who = models.CharField(max_length=64, blank=True)
    count = models.BigIntegerField()
    worst = models.FloatField(default=0)
    seen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["seen_at"], name="strain_seen_at")]

    def __str__(self) -> str:
        return f"{self.count} of {self.subject}"
