"""The program of one component: whether it is wanted, whether it runs, who keeps it."""

from typing import Self
from uuid import UUID, uuid4

from django.db import models

from aegis_project.kit import states
from components.core.launching import ACTIVE, TRANSITIONS, State


class LaunchQuerySet(models.QuerySet["Launch"]):
    """Questions that many callers ask of launches."""

    def active(self) -> Self:
        """Those that a launcher has something to do for."""
        return self.filter(state__in=[state.value for state in ACTIVE])

    def locked(self, launch_id: UUID, *, fence: int) -> "Launch | None":
        """The row, locked until the transaction ends; None for a fence that is not its newest."""
        rows = self.select_related("program").select_for_update(of=("self",))
        return rows.filter(pk=launch_id, fence=fence).first()


class Launch(models.Model):
    """
    What a launcher does for one component.

    ``is_wanted`` and ``activation`` are the session's: it grows with each start that needs a fresh
    process, and ``served`` is the one that the present process was started for. The lease and
    ``fence`` say which launcher may do anything; ``attempt`` numbers the processes, so that a
    late one is known. ``host`` is where the process is, ``exit_code`` how the last one ended,
    minus the signal if it was one.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    component = models.OneToOneField(
        "aegis_components.Component", on_delete=models.CASCADE, related_name="launch"
    )
    program = models.ForeignKey(
        "aegis_components.Program", on_delete=models.SET_NULL, null=True, related_name="launches"
    )
    state = models.CharField(
        max_length=16,
        choices={state.value: state.value for state in State},
        default=State.STOPPED.value,
    )
    is_wanted = models.BooleanField(default=False)
    activation = models.PositiveIntegerField(default=0)
    served = models.PositiveIntegerField(default=0)
    lease = models.ForeignKey(
        "aegis_streaming.Lease", on_delete=models.SET_NULL, null=True, related_name="launches"
    )
    fence = models.BigIntegerField(default=0)
    host = models.CharField(max_length=255, blank=True)
    attempt = models.PositiveBigIntegerField(default=0)
    restarts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    pid = models.PositiveBigIntegerField(null=True)
    token = models.ForeignKey(
        "aegis_components.Credential", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = LaunchQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in State]),
                name="launch_state_is_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["state"],
                condition=models.Q(state__in=sorted(state.value for state in ACTIVE)),
                name="launch_active",
            )
        ]

    def __str__(self) -> str:
        return f"launch of {self.component_id}"

    def follow(self, command: str) -> State:
        """Change state in memory; the service that calls this saves and tells."""
        state = states.follow(TRANSITIONS, State(self.state), command)
        self.state = state.value
        return state
