"""The catalogue of agents, what they reach, and what wakes them."""

from collections.abc import Collection
from typing import Self
from uuid import uuid4

from django.conf import settings
from django.db import models


class Visibility(models.TextChoices):
    """Who learns of an agent: everybody, whoever is signed in, its team."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PRIVATE = "private"


class Provider(models.Model):
    """
    Where models are reached: a kind of interface, an address and a key.

    ``secret`` is encrypted and never shown; without one the key of the environment is used.
    """

    slug = models.SlugField(max_length=50, unique=True)
    kind = models.CharField(
        max_length=16,
        choices={kind: kind for kind in ("openai", "azure", "anthropic")},
        default="openai",
    )
    base_url = models.URLField(max_length=500, blank=True)
    api_version = models.CharField(max_length=32, blank=True)
    secret = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.slug


class AgentQuerySet(models.QuerySet["Agent"]):
    """Questions that many callers ask of agents."""

    def visible(self, teams: Collection[int] | None) -> Self:
        """Those that members of these teams may know of (None: of all); those of no team all may."""
        found = self.filter(is_active=True)
        if teams is None:
            return found
        own = models.Q(team=None) | models.Q(team__in=teams)
        return found.filter(own | ~models.Q(visibility=Visibility.PRIVATE.value))

    def of_teams(self, teams: frozenset[int] | None) -> Self:
        """Those that belong to one of these teams; None is every team, and to none in particular."""
        return self if teams is None else self.filter(team_id__in=teams)


class Agent(models.Model):
    """
    An entry of the catalogue: card, model, instructions, tools, policy and limits.

    ``model`` is a reference as ``openai:gpt-5``, ``azure:DEPLOYMENT``, ``scripted:NAME``; the word
    before the colon is a provider's slug or a kind whose key the environment holds. ``tools`` are
    names or patterns of names. ``limits`` are those of ``sessions.core.limits``. ``version`` moves
    with every change.
    """

    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    skills = models.JSONField(default=list, blank=True)
    input_modes = models.JSONField(default=list, blank=True)
    output_modes = models.JSONField(default=list, blank=True)
    model = models.CharField(max_length=200)
    instructions = models.TextField(blank=True)
    tools = models.JSONField(default=list, blank=True)
    policy = models.ForeignKey(
        "aegis_sessions.Policy", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    limits = models.JSONField(default=dict, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    visibility = models.CharField(
        max_length=16, choices=Visibility.choices, default=Visibility.PUBLIC.value
    )
    team = models.ForeignKey(
        "auth.Group", on_delete=models.CASCADE, null=True, blank=True, related_name="agents"
    )
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AgentQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name or self.slug


class Trigger(models.Model):
    """
    What starts a run of an agent by itself: a topic's record, or a schedule.

    Of one session, or of every running session that has the agent. ``condition`` compares members
    of a record's data; ``prompt`` becomes the input, in which ``{data}`` is the record. After a
    run it rests for ``cooldown_seconds``. ``schedule`` is a line of cron (UTC), ``next_at`` when
    it is due.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="triggers")
    session = models.ForeignKey(
        "aegis_sessions.Session",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="triggers",
    )
    pattern = models.CharField(max_length=255, blank=True)
    condition = models.JSONField(default=dict, blank=True)
    schedule = models.CharField(max_length=100, blank=True)
    prompt = models.TextField(blank=True)
    cooldown_seconds = models.PositiveIntegerField(default=60)
    last_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(pattern="") ^ models.Q(schedule=""),
                name="trigger_has_one_cause",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_at"], condition=models.Q(is_active=True), name="trigger_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pattern or self.schedule} for {self.agent_id}"


class ToolServer(models.Model):
    """
    A server of the Model Context Protocol whose tools agents may use as ``mcp.SLUG.NAME``.

    Reached by ``url``, or started from ``command`` (program and arguments) by the worker.
    ``secret`` is encrypted: the headers or environment it needs, a JSON object of texts.
    """

    slug = models.SlugField(max_length=50, unique=True)
    url = models.URLField(max_length=500, blank=True)
    command = models.JSONField(default=list, blank=True)
    secret = models.TextField(blank=True, editable=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.slug


class Budget(models.Model):
    """How much a user or a team may use in a period: tokens of models, US dollars."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="budgets",
    )
    team = models.ForeignKey(
        "auth.Group", on_delete=models.CASCADE, null=True, blank=True, related_name="budgets"
    )
    period = models.CharField(
        max_length=8, choices={one: one for one in ("day", "month", "always")}, default="month"
    )
    max_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    max_cost = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user=None) ^ models.Q(team=None), name="budget_of_one"
            ),
            models.UniqueConstraint(fields=["user", "period"], name="budget_of_user"),
            models.UniqueConstraint(fields=["team", "period"], name="budget_of_team"),
        ]

    def __str__(self) -> str:
        return f"{self.period} of {self.user_id or self.team_id}"
