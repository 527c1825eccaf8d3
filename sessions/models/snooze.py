"""What somebody leaves alone for some time although a check finds it."""

from typing import Self

from django.db import models
from django.utils import timezone

from aegis_project.health import State


class SnoozeQuerySet(models.QuerySet["Snooze"]):
    """Questions that many callers ask of snoozes."""

    def lasting(self) -> Self:
        """Those that are not over."""
        return self.filter(until__gt=timezone.now())


class Snooze(models.Model):
    """What the check ``item`` finds in ``state`` is left alone by ``author`` until a moment."""

    item = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices={one.value: one.value for one in State})
    reason = models.CharField(max_length=500)
    author = models.CharField(max_length=200)
    until = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SnoozeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "state"], name="snooze_of_finding"),
        ]

    def __str__(self) -> str:
        return f"{self.item} ({self.state})"
