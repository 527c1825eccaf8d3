"""What runs ask to be done, and what was decided about it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone

from aegis_project.kit import states
from sessions.core import approvals, tool_calls
from sessions.core.errors import ApprovalNotFound, ToolCallNotFound
from sessions.core.tool_calls import Risk


class ToolCallQuerySet(models.QuerySet["ToolCall"]):
    """Questions that many callers ask of tool calls."""

    def locked(self, tool_call_id: UUID | str) -> "ToolCall":
        """
        The row, locked until the transaction ends; its run is locked before it.

        :raises ToolCallNotFound: if there is none
        """
        try:
            return self.select_for_update(of=("self",), no_key=True).get(pk=tool_call_id)
        except self.model.DoesNotExist:
            raise ToolCallNotFound(tool_call=str(tool_call_id)) from None


class ToolCall(models.Model):
    """
    A run's request to act, written before the effect and again after it.

    ``call_id`` is the model's own id of it, ``source`` where the tool is from. ``arguments`` are what is carried out: what was asked,
    until a decision edits it; ``digest`` is of them. ``effect_key`` is the same in every attempt
    at one effect, for tools that can tell a repetition. ``rule`` says what let it by or held it.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="tool_calls"
    )
    run = models.ForeignKey(
        "aegis_sessions.Run", on_delete=models.CASCADE, related_name="tool_calls"
    )
    message = models.ForeignKey(
        "aegis_sessions.Message", on_delete=models.SET_NULL, null=True, related_name="tool_calls"
    )
    call_id = models.CharField(max_length=200)
    tool = models.CharField(max_length=200)
    tool_version = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=16, blank=True)
    arguments = models.JSONField(default=dict)
    asked_arguments = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    risk = models.CharField(
        max_length=8, choices={risk.value: risk.value for risk in Risk}, default=Risk.HIGH.value
    )
    is_idempotent = models.BooleanField(default=False)
    state = models.CharField(
        max_length=16,
        choices={state.value: state.value for state in tool_calls.State},
        default=tool_calls.State.PENDING.value,
        editable=False,
    )
    rule = models.CharField(max_length=200, blank=True)
    effect_key = models.CharField(max_length=64, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    result = models.JSONField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    artifact = models.ForeignKey(
        "aegis_sessions.Artifact", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)

    objects = ToolCallQuerySet.as_manager()

    class Meta:
        constraints = [
            # Some models begin to count anew with each answer.
            models.UniqueConstraint(fields=["message", "call_id"], name="tool_call_in_message"),
        ]
        indexes = [
            models.Index(fields=["session", "-created_at", "-id"], name="tool_call_of_session"),
            models.Index(
                fields=["run"],
                condition=models.Q(state=tool_calls.State.RUNNING.value),
                name="tool_call_running",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool} ({self.state})"

    @property
    def is_settled(self) -> bool:
        """Whether the model can be told what came of it."""
        return self.state in tool_calls.SETTLED

    def digest_of(self, arguments: Mapping[str, Any]) -> str:
        """What exactly would be decided about, were these the arguments."""
        return tool_calls.digest(
            tool=self.tool,
            tool_version=self.tool_version,
            arguments=arguments,
            run_id=str(self.run_id),
            call_id=str(self.pk),
        )

    def move(self, command: str) -> None:
        """
        Take the state that the command leads to; the caller saves.

        :raises InvalidState: if the table has no such move
        """
        target = states.follow(tool_calls.TRANSITIONS, tool_calls.State(self.state), command)
        self.state = target.value


class ApprovalQuerySet(models.QuerySet["Approval"]):
    """Questions that many callers ask of approvals."""

    def locked(self, approval_id: UUID | str) -> "Approval":
        """
        The row, locked until the transaction ends; its run and tool call are locked before it.

        :raises ApprovalNotFound: if there is none
        """
        try:
            return self.select_for_update(of=("self",), no_key=True).get(pk=approval_id)
        except self.model.DoesNotExist:
            raise ApprovalNotFound(approval=str(approval_id)) from None


class Approval(models.Model):
    """
    The one decision on a tool call.

    ``digest`` is what exactly was asked. ``evidence`` holds what was known when it was asked:
    {topic: {value, ts, seq}}. ``rule`` names the rule that asked, ``who`` who may decide and
    ``freshness`` how far the evidence may move (those of ``sessions.core.policy``),
    ``on_timeout`` (reject, approve) what its end does. ``parameters`` is the JSON Schema that
    edited arguments have to keep to. ``claimed_by`` looks at it now. It ``replaces`` one of the
    same call whose evidence had moved. With ``stops_clock`` its time stands still while the
    session is paused, since ``clock_stopped_at``; ``expires_at`` moves when it goes on. ``seq`` is
    where the ledger tells that it was asked (0: not known).
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    session = models.ForeignKey(
        "aegis_sessions.Session", on_delete=models.CASCADE, related_name="approvals"
    )
    run = models.ForeignKey(
        "aegis_sessions.Run", on_delete=models.CASCADE, related_name="approvals"
    )
    # A call is asked again when what it rested on has moved.
    tool_call = models.ForeignKey(ToolCall, on_delete=models.CASCADE, related_name="approvals")
    digest = models.CharField(max_length=64)
    evidence = models.JSONField(default=dict, blank=True)
    freshness = models.JSONField(default=list, blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    rule = models.CharField(max_length=200, blank=True)
    who = models.JSONField(default=dict, blank=True)
    on_timeout = models.CharField(
        max_length=8, choices={one: one for one in ("reject", "approve")}, default="reject"
    )
    state = models.CharField(
        max_length=16,
        choices={state.value: state.value for state in approvals.State},
        default=approvals.State.PENDING.value,
        editable=False,
    )
    requested_by = models.CharField(max_length=200, blank=True)
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    stops_clock = models.BooleanField(default=False)
    clock_stopped_at = models.DateTimeField(null=True, editable=False)
    replaces = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="replaced_by"
    )
    claimed_by = models.CharField(max_length=200, blank=True)
    claimed_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.CharField(max_length=200, blank=True)
    decider = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, editable=False)
    transport = models.CharField(max_length=32, blank=True)
    reason = models.CharField(max_length=2000, blank=True)
    edited_arguments = models.JSONField(null=True, blank=True)
    seq = models.BigIntegerField(default=0, editable=False)
    version = models.PositiveIntegerField(default=1)

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tool_call"],
                condition=models.Q(state=approvals.State.PENDING.value),
                name="approval_open_of_tool_call",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=models.Q(state=approvals.State.PENDING.value),
                name="approval_due",
            ),
            models.Index(fields=["session", "-requested_at", "-id"], name="approval_of_session"),
            models.Index(fields=["-requested_at", "-id"], name="approval_newest"),
            # The inbox: what somebody has to decide, the most urgent first.
            models.Index(
                fields=["session", "expires_at", "id"],
                condition=models.Q(state=approvals.State.PENDING.value),
                name="approval_open_of_session",
            ),
        ]
        permissions = [("decide_approval", "Can approve and reject tool calls")]

    def __str__(self) -> str:
        return f"approval of {self.tool_call_id} ({self.state})"

    @property
    def is_open(self) -> bool:
        """Whether it is still to be decided."""
        return self.state == approvals.State.PENDING

    def is_late(self, now: datetime) -> bool:
        """Whether its time is over; a clock that stands still has no end."""
        return self.clock_stopped_at is None and self.expires_at <= now

    def move(self, command: str) -> None:
        """
        Take the state that the command leads to; the caller saves.

        :raises InvalidState: if the table has no such move
        """
        target = states.follow(approvals.TRANSITIONS, approvals.State(self.state), command)
        self.state = target.value
