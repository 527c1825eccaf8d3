"""What may run beside Aegis: commands that an administrator registered."""

from typing import Self
from uuid import UUID, uuid4

from django.db import models

from components.core.errors import ProgramNotFound
from components.core.launching import Restart, Rules
from components.core.reconnect import Backoff


class ProgramQuerySet(models.QuerySet["Program"]):
    """Questions that many callers ask of programs."""

    def of_teams(self, teams: frozenset[int] | None) -> Self:
        """Those that these teams may use; None stands for every team."""
        if teams is None:
            return self
        return self.filter(models.Q(team=None) | models.Q(team_id__in=teams))

    def named(self, reference: str) -> "Program":
        """
        The one with this name or id.

        :raises ProgramNotFound: if there is none
        """
        try:
            return self.get(pk=UUID(reference))
        except (ValueError, self.model.DoesNotExist):
            found = self.filter(name=reference).first()
        if found is None:
            raise ProgramNotFound(program=reference)
        return found


class Program(models.Model):
    """
    A command that launchers run for components; only its services write it.

    ``argv`` is a list of words, ``environment`` an object of texts. ``directory`` is where it
    runs, empty for the checkout. Without a team every team may use it.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    argv = models.JSONField(default=list)
    environment = models.JSONField(default=dict, blank=True)
    directory = models.CharField(max_length=4096, blank=True)
    restart = models.CharField(
        max_length=16,
        choices={one.value: one.value for one in Restart},
        default=Restart.ON_FAILURE.value,
    )
    restart_limit = models.PositiveIntegerField(default=5)
    backoff_seconds = models.FloatField(default=1.0)
    backoff_most_seconds = models.FloatField(default=60.0)
    settled_seconds = models.FloatField(default=60.0)
    stop_grace_seconds = models.FloatField(default=10.0)
    team = models.ForeignKey(
        "auth.Group", on_delete=models.CASCADE, null=True, blank=True, related_name="programs"
    )
    created_by = models.CharField(max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProgramQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def rules(self) -> Rules:
        """When it is started again."""
        return Rules(
            restart=Restart(self.restart),
            backoff=Backoff(self.backoff_seconds, self.backoff_most_seconds),
            limit=self.restart_limit,
            settled_seconds=self.settled_seconds,
        )
