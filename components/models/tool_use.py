"""What tools of components were asked to do."""

from uuid import uuid4

from django.db import models
from django.utils import timezone


class ToolUse(models.Model):
    """
    One execution of a tool that a component offers: asked by a worker, sent once, answered once.

    The process that holds the component's control socket sends it (``sent_at``) and writes what
    comes back. ``effect_key`` is the same in every attempt at one effect.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    component = models.ForeignKey(
        "aegis_components.Component", on_delete=models.CASCADE, related_name="tool_uses"
    )
    tool = models.CharField(max_length=128)
    arguments = models.JSONField(default=dict)
    effect_key = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    deadline_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)
    error = models.JSONField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["component"],
                condition=models.Q(sent_at=None, answered_at=None),
                name="tool_use_to_send",
            ),
            models.Index(fields=["effect_key"], name="tool_use_of_effect"),
        ]

    def __str__(self) -> str:
        return f"{self.tool} of {self.component_id}"
