"""What the processes of an installation tell each other about their topics."""

from django.db import models


class Report(models.Model):
    """
    The topics of one session as one process sees them; ``body`` is JSON, of figures only.

    Written behind, and only while another process lives that could read it; nothing but what is
    shown rests on it.
    """

    lease = models.ForeignKey(
        "aegis_streaming.Lease", on_delete=models.CASCADE, related_name="reports"
    )
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="reports"
    )
    body = models.BinaryField()
    written_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lease", "session"], name="report_of_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} by {self.lease_id}"
