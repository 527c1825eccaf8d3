"""What somebody wants to find again in a session."""

from typing import Self
from uuid import uuid4

from django.db import models
from django.utils import timezone


class BookmarkQuerySet(models.QuerySet["Bookmark"]):
    """Questions that many callers ask of bookmarks."""

    def for_owner(self, owner: str) -> Self:
        """Those of one owner, and those that others share."""
        return self.filter(models.Q(owner=owner) | models.Q(is_shared=True))


class Bookmark(models.Model):
    """
    A position in a session that a person named: a message, or the event at a ``seq`` of its ledger.

    ``owner`` is the id of a principal, ``author`` the same as an actor. Whoever sees the session
    sees the shared ones; only the owner changes one.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="bookmarks"
    )
    message = models.ForeignKey(
        "aegis_sessions.Message", on_delete=models.CASCADE, null=True, related_name="bookmarks"
    )
    seq = models.BigIntegerField(null=True)
    name = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    color = models.CharField(max_length=7)
    is_shared = models.BooleanField(default=False)
    owner = models.CharField(max_length=100, editable=False)
    author = models.CharField(max_length=200, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = BookmarkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "message"], name="bookmark_of_message"),
            models.UniqueConstraint(fields=["session", "owner", "seq"], name="bookmark_of_event"),
            models.CheckConstraint(
                condition=models.Q(message=None) ^ models.Q(seq=None), name="bookmark_of_one_thing"
            ),
        ]
        indexes = [
            models.Index(fields=["session", "-created_at", "-id"], name="bookmark_of_session"),
            models.Index(fields=["owner", "-created_at", "-id"], name="bookmark_of_owner"),
        ]

    def __str__(self) -> str:
        return self.name or self.where

    @property
    def where(self) -> str:
        """What it is of, in words."""
        return f"event {self.seq}" if self.message_id is None else f"message {self.message_id}"
