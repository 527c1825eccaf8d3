"""What people keep about sessions: tags, and templates to make others from."""

from typing import Self

from django.db import models
from django.utils import timezone

from sessions.core.recipes import Category


class TagQuerySet(models.QuerySet["Tag"]):
    """Questions that many callers ask of tags."""

    def of_owner(self, owner: str) -> Self:
        """Those of the system, which belong to nobody, and those of one owner."""
        return self.filter(owner__in=["", owner])


class Tag(models.Model):
    """
    A short label. ``owner`` is the id of a principal, empty for those of the system.

    ``name`` is as ``sessions.core.tags.normal`` writes it and does not change.
    """

    name = models.CharField(max_length=50)
    color = models.CharField(max_length=7)
    description = models.CharField(max_length=200, blank=True)
    owner = models.CharField(max_length=100, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TagQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="tag_of_owner")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_system(self) -> bool:
        return not self.owner


class SessionTag(models.Model):
    """A tag on a session."""

    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="tagged"
    )
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="uses")
    author = models.CharField(max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "tag"], name="tag_on_session")]

    def __str__(self) -> str:
        return f"{self.tag_id} on {self.session_id}"


class Preset(models.Model):
    """
    A template: a versioned recipe for sessions, by the slug that they keep of it.

    ``version`` is the one in use, ``head`` the newest; both are numbers of :class:`PresetVersion`.
    Those of the system (``is_system``) cannot be changed; without a team it is of every team.
    """

    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    category = models.CharField(
        max_length=16,
        choices={category.value: category.value for category in Category},
        default=Category.CUSTOM.value,
    )
    team = models.ForeignKey(
        "auth.Group", on_delete=models.CASCADE, null=True, blank=True, related_name="presets"
    )
    is_system = models.BooleanField(default=False, editable=False)
    author = models.CharField(max_length=200, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    head = models.PositiveIntegerField(default=1, editable=False)
    use_count = models.PositiveIntegerField(default=0, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "template"

    def __str__(self) -> str:
        return self.name or self.slug


class PresetVersion(models.Model):
    """One version of a template's recipe, as ``sessions.core.recipes`` reads it; it never changes."""

    preset = models.ForeignKey(Preset, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    recipe = models.JSONField()
    note = models.CharField(max_length=200, blank=True)
    author = models.CharField(max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["preset", "version"], name="version_of_preset")
        ]

    def __str__(self) -> str:
        return f"{self.preset_id} ({self.version})"
