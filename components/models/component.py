"""A live participant of one session."""

import contextlib
from typing import Self
from uuid import UUID, uuid4

from django.db import models

from aegis_project.kit import states
from aegis_project.prepared import Prepared
from components.core import beats
from components.core.errors import ComponentNotFound
from components.core.lifecycle import CONNECTED, TRANSITIONS, Role, State


class ComponentQuerySet(models.QuerySet["Component"]):
    """Questions that many callers ask of components."""

    def locked(self, component_id: UUID | str) -> "Component":
        """
        The row, locked until the transaction ends.

        :raises ComponentNotFound: if there is none
        """
        with contextlib.suppress(ValueError):
            for component in _locked(pk=UUID(str(component_id))):
                return component
        raise ComponentNotFound(component_id=str(component_id))

    def of_session(self, session_id: UUID | str) -> Self:
        """All of a session, in the order in which they were attached or came."""
        return self.filter(session_id=session_id).order_by("created_at", "name")

    def connected(self) -> Self:
        return self.filter(state__in=CONNECTED)


class Component(models.Model):
    """
    A feed, strategy, agent, tool, sink or observer that takes part in a session.

    ``fence`` grows with each registration; frames and moves of an older one are refused.
    ``lease`` is the process that holds the control socket, ``token`` what it registered with,
    ``program`` what launchers run for it, ``beats`` its last marks as :mod:`components.core.beats`
    keeps them.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="components"
    )
    name = models.CharField(max_length=128)
    role = models.CharField(
        max_length=16,
        choices={role.value: role.value for role in Role},
        default=Role.OBSERVER.value,
    )
    required = models.BooleanField(default=False)
    state = models.CharField(
        max_length=16,
        choices={state.value: state.value for state in State},
        default=State.PENDING.value,
    )
    capabilities = models.JSONField(default=dict, blank=True)
    topics = models.JSONField(default=list, blank=True)
    proto = models.JSONField(default=dict, blank=True)
    version = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    fence = models.BigIntegerField(default=0)
    lease = models.ForeignKey(
        "aegis_streaming.Lease", on_delete=models.SET_NULL, null=True, related_name="components"
    )
    token = models.ForeignKey(
        "aegis_components.Credential", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    program = models.ForeignKey(
        "aegis_components.Program", on_delete=models.SET_NULL, null=True, related_name="components"
    )
    is_late = models.BooleanField(default=False)
    is_data_connected = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    registered_at = models.DateTimeField(null=True, blank=True)
    identified_at = models.DateTimeField(null=True, blank=True)
    subscribed_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    running_at = models.DateTimeField(null=True, blank=True)
    lost_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    last_heartbeat_at = models.DateTimeField(null=True, blank=True)
    beats = models.CharField(max_length=beats.LENGTH, default="", blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ComponentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "name"], name="component_name_in_session"),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in State]),
                name="component_state_is_known",
            ),
        ]
        indexes = [models.Index(fields=["state"], name="component_state")]

    def __str__(self) -> str:
        return self.name

    def follow(self, command: str) -> State:
        """Change state in memory; the service that calls this saves and tells."""
        state = states.follow(TRANSITIONS, State(self.state), command)
        self.state = state.value
        return state


_locked = Prepared(
    lambda pk: Component.objects.filter(pk=pk).select_for_update(of=("self",), no_key=True)
)
