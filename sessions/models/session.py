"""A supervised piece of live work."""

from datetime import datetime
from typing import Self
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone

from aegis_project.kit import states
from aegis_project.prepared import Prepared
from sessions.core import lifecycle
from sessions.core.errors import SessionNotFound
from sessions.core.lifecycle import Environment, Kind, Mode, State

STATES = frozenset(State)


class SessionQuerySet(models.QuerySet["Session"]):
    """Questions that many callers ask of sessions."""

    def present(self) -> Self:
        """All but the deleted ones, which stay until retention removes them."""
        return self.filter(deleted_at=None)

    def open(self) -> Self:
        return self.present().filter(state__in=lifecycle.OPEN)

    def starting(self) -> Self:
        return self.present().filter(start_requested_at__isnull=False)

    def locked(self, session_id: UUID | str) -> "Session":
        """
        The row, locked until the transaction ends.

        Rows that only refer to it may be written meanwhile (hence ``no_key``).

        :raises SessionNotFound: if there is none or it was deleted
        """
        for session in _locked(pk=UUID(str(session_id))):
            return session
        raise SessionNotFound(session=str(session_id))


class Session(models.Model):
    """
    One supervised piece of live work: its facets, its state and its counters.

    Only ``sessions.services.lifecycle`` writes ``state``. ``version`` moves with the state and
    the editable fields, nothing else. ``agent`` and ``template`` hold slugs, ``tags`` the names
    of its tags, so that lists need no further question.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    key = models.CharField(max_length=128)
    name = models.CharField(max_length=200, blank=True)
    state = models.CharField(
        max_length=16,
        choices={state.value: state.value for state in State},
        default=State.CREATED.value,
        editable=False,
    )
    kind = models.CharField(
        max_length=16,
        choices={kind.value: kind.value for kind in Kind},
        default=Kind.STREAM.value,
    )
    mode = models.CharField(
        max_length=16,
        choices={mode.value: mode.value for mode in Mode},
        default=Mode.REALTIME.value,
    )
    environment = models.CharField(
        max_length=16,
        choices={environment.value: environment.value for environment in Environment},
        default=Environment.DEVELOPMENT.value,
    )
    agent = models.CharField(max_length=100, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    owner_label = models.CharField(max_length=200, blank=True)
    team = models.ForeignKey(
        "auth.Group", on_delete=models.PROTECT, related_name="sessions", db_index=False
    )
    context = models.JSONField(default=dict, blank=True)
    config = models.JSONField(default=dict, blank=True)
    memory = models.JSONField(default=dict, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    tags = models.JSONField(default=list, blank=True, editable=False)
    result = models.JSONField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="children"
    )
    template = models.CharField(max_length=100, blank=True)
    template_version = models.PositiveIntegerField(null=True, blank=True)
    activation = models.PositiveIntegerField(default=0, editable=False)
    version = models.PositiveBigIntegerField(default=1, editable=False)
    start_requested_at = models.DateTimeField(null=True, editable=False)
    start_deadline_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    stopped_at = models.DateTimeField(null=True, editable=False)
    state_changed_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    last_activity_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, editable=False)
    component_count = models.PositiveIntegerField(default=0, editable=False)
    message_count = models.PositiveIntegerField(default=0, editable=False)
    llm_token_count = models.PositiveBigIntegerField(default=0, editable=False)

    objects = SessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "key"],
                condition=models.Q(deleted_at=None),
                name="session_key_in_team",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in State]),
                name="session_state_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="session_newest"),
            models.Index(fields=["-last_activity_at", "-id"], name="session_most_active"),
            # One team's list in its order; without them a page costs a sort of all its sessions.
            models.Index(fields=["team", "-created_at", "-id"], name="session_newest_in_team"),
            models.Index(
                fields=["team", "-last_activity_at", "-id"], name="session_active_in_team"
            ),
            models.Index(fields=["state", "-created_at"], name="session_state"),
            # What is looked for each second, among sessions of which few are so.
            models.Index(
                fields=["start_requested_at"],
                condition=models.Q(start_requested_at__isnull=False),
                name="session_start_requested",
            ),
            models.Index(
                fields=["state", "expires_at"],
                condition=models.Q(expires_at__isnull=False),
                name="session_expires",
            ),
            models.Index(
                fields=["start_deadline_at"],
                condition=models.Q(start_deadline_at__isnull=False),
                name="session_start_deadline",
            ),
        ]
        permissions = [("control_session", "Can start, pause, stop, complete and end sessions")]

    def __str__(self) -> str:
        return self.name or self.key

    @property
    def is_open(self) -> bool:
        """Whether components may still register."""
        return self.opens_to_components(self.state, self.deleted_at)

    @staticmethod
    def opens_to_components(state: str, deleted_at: datetime | None) -> bool:
        """The same of a row of which only these are known."""
        return deleted_at is None and state in lifecycle.OPEN

    @property
    def is_running(self) -> bool:
        return self.state == State.RUNNING

    @property
    def is_historical(self) -> bool:
        return self.mode == Mode.HISTORICAL

    @property
    def is_starting(self) -> bool:
        """Whether a start was accepted and still waits for required components."""
        return self.start_requested_at is not None

    def legal(self) -> list[str]:
        """The commands of the lever that are not refused now; none in a state of a later Aegis."""
        if not self.is_known:
            return []
        return lifecycle.legal(
            State(self.state), is_starting=self.is_starting, mode=Mode(self.mode)
        )

    @property
    def is_known(self) -> bool:
        """Whether its state is one of this Aegis, and not of a later one that shares its tables."""
        return self.state in STATES

    def uptime_seconds(self, *, now: datetime) -> float:
        """Seconds since the last start, up to the last halt."""
        return lifecycle.uptime(
            started_at=self.started_at, stopped_at=self.stopped_at, now=now
        ).total_seconds()

    def follow(self, command: str, *, at: datetime) -> bool:
        """
        Change state and its times in memory; whether it changed at all.

        :raises InvalidState: when the command is not legal
        """
        before = State(self.state)
        after = states.follow(lifecycle.table(Mode(self.mode)), before, command)
        if after is before:
            return False
        self._enter(after, before=before, at=at)
        return True

    def restart(self, *, at: datetime) -> None:
        """Run from the beginning in memory: a new activation, also of one that runs."""
        self._enter(State.RUNNING, before=State.STOPPED, at=at)

    def recover(self, *, at: datetime) -> bool:
        """Be paused again in memory, where a checkpoint was taken; whether the state changed."""
        before = State(self.state)
        after = states.follow(lifecycle.table(Mode(self.mode)), before, "recover")
        if after is before:
            self.version += 1
        else:
            self._enter(after, before=before, at=at)
        self.stopped_at = self.error = None
        return after is not before

    def await_restart(self, *, at: datetime) -> bool:
        """
        Go in memory where a restart can wait for components; whether the state changed.

        The activation is counted now where the start that follows does not count it.
        """
        before = State(self.state)
        after = lifecycle.WAITING_ROOMS.get(before, before)
        if not lifecycle.mints_activation(after):
            self.activation += 1
        if after is not before:
            self._enter(after, before=before, at=at)
        return after is not before

    def _enter(self, after: State, *, before: State, at: datetime) -> None:
        self.state = after.value
        self.state_changed_at = self.last_activity_at = at
        self.version += 1
        if after is State.RUNNING:
            self.stopped_at = None
            if lifecycle.mints_activation(before):
                self.started_at = at
                self.activation += 1
        elif after in lifecycle.HALTED:
            self.stopped_at = at


_locked = Prepared(
    lambda pk: Session.objects.present().filter(pk=pk).select_for_update(of=("self",), no_key=True)
)
