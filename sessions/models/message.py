"""What is said in a session, and the files said with it."""

from typing import Self
from uuid import UUID, uuid4

from django.db import models
from django.utils import timezone

from sessions.core.conversation import AttachmentKind, Role


class MessageQuerySet(models.QuerySet["Message"]):
    """Questions that many callers ask of messages."""

    def of_session(self, session_id: UUID | str) -> Self:
        """The chosen branch of a conversation, in the order of its places."""
        return self.filter(session_id=session_id, is_chosen=True).order_by("place")


class Message(models.Model):
    """
    One utterance. ``place`` counts all messages of a session, in the order they came.

    ``parent`` is the message it follows; several with one parent are branches, of which one is
    chosen. ``run`` is the run that said it, ``author`` who did, as an actor.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    place = models.PositiveIntegerField(editable=False)
    role = models.CharField(
        max_length=16, choices={role.value: role.value for role in Role}, default=Role.USER.value
    )
    content = models.TextField()
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="replies")
    is_chosen = models.BooleanField(default=True)
    agent = models.CharField(max_length=100, blank=True)
    run = models.ForeignKey(
        "aegis_sessions.Run", on_delete=models.SET_NULL, null=True, related_name="messages"
    )
    author = models.CharField(max_length=200, blank=True, editable=False)
    token_count = models.PositiveIntegerField(default=0)
    attachment_count = models.PositiveIntegerField(default=0, editable=False)
    tool_call_count = models.PositiveIntegerField(default=0, editable=False)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "place"], name="message_place_in_session"),
        ]
        indexes = [
            # A page of the chosen branch, from either end.
            models.Index(
                fields=["session", "-place"],
                condition=models.Q(is_chosen=True),
                name="message_chosen",
            ),
            # How many begin a conversation, without looking at all that follow.
            models.Index(fields=["session"], condition=models.Q(parent=None), name="message_root"),
        ]

    def __str__(self) -> str:
        return f"{self.place} {self.role}"


class Attachment(models.Model):
    """
    A file said with a message, or waiting to be; ``path`` is relative to the storage.

    ``content_type`` and ``kind`` are what its content is, whatever was claimed of it; ``sha256``
    is hex, ``size`` bytes.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="attachments"
    )
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, null=True, related_name="attachments"
    )
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127)
    kind = models.CharField(
        max_length=16, choices={kind.value: kind.value for kind in AttachmentKind}
    )
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=500)
    author = models.CharField(max_length=200, blank=True, editable=False)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["session", "created_at"], name="attachment_of_session"),
        ]

    def __str__(self) -> str:
        return self.filename


class Artifact(models.Model):
    """
    A file in a session's sandbox, in one version; ``path`` is relative to the storage.

    ``name`` is its path in the sandbox; the newest ``version`` of a name is the file.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="artifacts"
    )
    name = models.CharField(max_length=255)
    version = models.PositiveIntegerField(default=1)
    content_type = models.CharField(max_length=127)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=500)
    run = models.ForeignKey(
        "aegis_sessions.Run", on_delete=models.SET_NULL, null=True, related_name="artifacts"
    )
    author = models.CharField(max_length=200, blank=True, editable=False)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "name", "version"], name="artifact_version_in_session"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.version})"
