"""A list as a person wants to see it again."""

from django.db import models
from django.utils import timezone

from sessions.core.saved_views import LONGEST_NAME, LONGEST_QUERY


class SavedView(models.Model):
    """What ``owner``, the id of a principal, calls ``name``: a list by the ``query`` of its address."""

    owner = models.CharField(max_length=100, editable=False)
    of = models.CharField(max_length=16)
    name = models.CharField(max_length=LONGEST_NAME)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "of", "name"], name="saved_view_of_owner"),
        ]

    def __str__(self) -> str:
        return self.name
