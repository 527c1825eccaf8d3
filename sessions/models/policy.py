"""The rules that say what needs whom, for how long."""

from uuid import uuid4

from django.db import models


class Policy(models.Model):
    """
    Ordered rules, the first that matches counts; ``sessions.core.policy`` reads them.

    Those of the system (``is_system``) cannot be changed. ``version`` moves with every change.
    """

    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    rules = models.JSONField(default=list)
    team = models.ForeignKey(
        "auth.Group", on_delete=models.CASCADE, null=True, blank=True, related_name="policies"
    )
    is_system = models.BooleanField(default=False, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.name or self.slug


class Grant(models.Model):
    """
    A rule made from a decision, with exactly the scope that was shown: asked before any policy.

    Of one run, one session, or one agent in one environment; ``conditions`` are those of
    ``sessions.core.policy`` on the arguments.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    run = models.ForeignKey(
        "aegis_sessions.Run", on_delete=models.CASCADE, null=True, related_name="grants"
    )
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, null=True, related_name="grants"
    )
    agent = models.ForeignKey(
        "aegis_sessions.Agent", on_delete=models.CASCADE, null=True, related_name="grants"
    )
    team = models.ForeignKey(
        "auth.Group", on_delete=models.CASCADE, null=True, related_name="grants"
    )
    environment = models.CharField(max_length=16, blank=True)
    tool = models.CharField(max_length=200)
    conditions = models.JSONField(default=list, blank=True)
    verdict = models.CharField(
        max_length=8, choices={one: one for one in ("auto", "deny")}, default="auto"
    )
    approval = models.ForeignKey(
        "aegis_sessions.Approval", on_delete=models.SET_NULL, null=True, related_name="grants"
    )
    made_by = models.CharField(max_length=200)
    until = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["tool", "session"], name="grant_of_tool")]

    def __str__(self) -> str:
        return f"{self.verdict} {self.tool}"
