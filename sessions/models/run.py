"""A piece of work that an agent does in a session."""

import contextlib
from typing import Self
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone

from aegis_project.kit import states
from aegis_project.prepared import Prepared
from sessions.core.errors import RunNotFound
from sessions.core.runs import OPEN, TRANSITIONS, State


class RunQuerySet(models.QuerySet["Run"]):
    """Questions that many callers ask of runs."""

    def open(self) -> Self:
        # What is over has ended; said here, because an index holds those that have not alone.
        return self.filter(state__in=OPEN, ended_at=None)

    def locked(self, run_id: UUID | str) -> "Run":
        """
        The row, locked until the transaction ends; its session is locked before it.

        :raises RunNotFound: if there is none
        """
        with contextlib.suppress(ValueError):
            for run in _locked(pk=UUID(str(run_id))):
                return run
        raise RunNotFound(run=str(run_id))


class Run(models.Model):
    """
    Input in, output out: queued by whoever asked, claimed by a worker, alive without either.

    ``place`` counts the runs of a session, in the order of their admission. ``lease`` is the
    process that works on it and ``fence`` the number of its claim: nothing with an older one is
    written. ``task`` is the label its client gave. ``usage`` is kept per model: {model: {requests,
    input_tokens, output_tokens, cost}}; ``cost`` is US dollars. ``limits`` are those of
    ``sessions.core.limits``, ``waiting_for`` a word of ``sessions.core.runs.Waiting``. ``attempt``
    counts how often it began to speak, ``losses`` how often its worker was gone,
    ``worked_seconds`` the time of all its workers.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="runs", db_index=False
    )
    place = models.PositiveIntegerField(editable=False)
    agent = models.ForeignKey(
        "aegis_sessions.Agent", on_delete=models.SET_NULL, null=True, related_name="runs"
    )
    agent_slug = models.CharField(max_length=100)
    state = models.CharField(
        max_length=16,
        choices={state.value: state.value for state in State},
        default=State.QUEUED.value,
        editable=False,
    )
    attempt = models.PositiveSmallIntegerField(default=0, editable=False)
    losses = models.PositiveSmallIntegerField(default=0, editable=False)
    message = models.ForeignKey(
        "aegis_sessions.Message",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    answer = models.ForeignKey(
        "aegis_sessions.Message", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="subruns")
    depth = models.PositiveSmallIntegerField(default=0)
    trigger = models.ForeignKey(
        "aegis_sessions.Trigger", on_delete=models.SET_NULL, null=True, related_name="runs"
    )
    task = models.CharField(max_length=128, blank=True)
    requested_by = models.CharField(max_length=200)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
    )
    parameters = models.JSONField(default=dict, blank=True)
    limits = models.JSONField(default=dict, blank=True)
    usage = models.JSONField(default=dict, blank=True)
    steps = models.PositiveIntegerField(default=0)
    worked_seconds = models.FloatField(default=0, editable=False)
    token_count = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=12, decimal_places=6, default=0)
    waiting_for = models.CharField(max_length=16, blank=True)
    error = models.JSONField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, editable=False)
    lease = models.ForeignKey(
        "aegis_streaming.Lease", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    fence = models.BigIntegerField(default=0)
    safe_seq = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "place"], name="run_place_in_session"),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in State]),
                name="run_state_is_known",
            ),
        ]
        indexes = [
            # One state each: of a list of states SQLite does not see that an index is of them.
            models.Index(
                fields=["created_at"],
                condition=models.Q(state=State.QUEUED.value),
                name="run_queued",
            ),
            models.Index(
                fields=["lease"], condition=models.Q(state=State.WORKING.value), name="run_working"
            ),
            models.Index(
                fields=["created_at"],
                condition=models.Q(state=State.WAITING.value),
                name="run_waiting",
            ),
            # Those that are open, in a session that had thousands.
            models.Index(
                fields=["session", "place"],
                condition=models.Q(ended_at=None),
                name="run_open_in_session",
            ),
            models.Index(fields=["-created_at", "-id"], name="run_newest"),
            models.Index(fields=["session", "task"], name="run_task_in_session"),
            models.Index(fields=["user", "created_at"], name="run_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.agent_slug} in {self.session_id}"

    @property
    def is_open(self) -> bool:
        """Whether it may still say something."""
        return self.state in OPEN

    def move(self, command: str) -> None:
        """
        Take the state that the command leads to; the caller saves.

        :raises InvalidState: if the table has no such move
        """
        target = states.follow(TRANSITIONS, State(self.state), command)
        self.state = target.value


_locked = Prepared(
    lambda pk: Run.objects.filter(pk=pk).select_for_update(of=("self",), no_key=True)
)


class RunHistory(models.Model):
    """
    What a model has to be shown to go on with a run, as its adapter wrote it at a safe point.

    ``format`` names the adapter and the version of its library; another one begins from the rows
    of the conversation instead. It holds the first ``covered`` turns of what the model was shown.
    """

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="history")
    format = models.CharField(max_length=64)
    body = models.BinaryField()
    covered = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"history of {self.run_id}"
