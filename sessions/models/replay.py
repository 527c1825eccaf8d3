"""Where a historical session's clock stands."""

from uuid import uuid4

from django.db import models


class Replay(models.Model):
    """
    The driver's place in a historical session: its range, speed, clock and ``n``.

    ``n`` counts records in clock order over all topics; ``clock`` is unix milliseconds. The lease
    and ``fence`` say which process may move them; they are saved together, once a second. Who
    changes what a driver goes by raises the fence.

    ``seek_to`` (unix ms) is where the clock is to be set, as ``seek_by`` has asked; ``steps`` the
    ticks after which the session pauses; ``base`` the place where the topics' epochs begin, empty
    at the beginning of the range. ``generation`` counts how often they began anew. ``speed`` is
    how fast it is to go, ``achieved`` how fast it went while it was driven last.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    session = models.OneToOneField(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="replay"
    )
    source = models.JSONField(default=dict)
    range_from = models.BigIntegerField(null=True, help_text="Unix milliseconds, inclusive")
    range_to = models.BigIntegerField(null=True, help_text="Unix milliseconds, inclusive")
    speed = models.FloatField(default=0)
    achieved = models.FloatField(null=True, help_text="Times real time, as it went lately")
    clock = models.BigIntegerField(null=True, help_text="Unix milliseconds")
    n = models.BigIntegerField(default=0)
    checkpoint = models.JSONField(default=dict, blank=True)
    base = models.JSONField(default=dict, blank=True)
    generation = models.PositiveIntegerField(default=0)
    seek_to = models.BigIntegerField(null=True, help_text="Unix milliseconds")
    seek_by = models.CharField(max_length=200, blank=True)
    steps = models.PositiveIntegerField(null=True)
    is_exhausted = models.BooleanField(default=False)
    bad_rows = models.PositiveIntegerField(default=0)
    lease = models.ForeignKey(
        "aegis_streaming.Lease", on_delete=models.SET_NULL, null=True, related_name="replays"
    )
    fence = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"replay of {self.session_id} at {self.n}"
