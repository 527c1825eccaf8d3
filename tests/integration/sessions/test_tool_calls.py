"""What is written before and after the effect of a tool, whoever is gone in between."""

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from aegis_project import database
from aegis_project.kit.errors import InvalidState, PermissionDenied, ValidationFailed
from sessions.core import tools
from sessions.core.errors import ToolCallNotFound, ToolExecutionFailed
from sessions.core.run_log import Status, ToolResult
from sessions.core.tool_calls import State
from sessions.models import Run, ToolCall
from sessions.selectors import artifacts
from sessions.selectors import tool_calls as selecting
from sessions.services import run_log, runs, tool_calls
from sessions.services.run_log import Superseded
from sessions.services.tool_calls import Outcome
from tests import factories, threads
from tests.factories import OPERATOR
from tests.integration.sessions import tools_help, working_help

pytestmark = pytest.mark.django_db(transaction=True)


def at(call: ToolCall) -> str:
    return ToolCall.objects.get(pk=call.pk).state


def test_an_effect_is_told_before_and_after():
    run, held = tools_help.working()
    call = tools_help.approved(run)

    tool_calls.start(call.pk, run_id=run.pk, fence=held.fence)
    done = tool_calls.finish(call.pk, run_id=run.pk, fence=held.fence, result={"order": 7})

    assert (done.state, done.result, done.attempt) == ("completed", {"order": 7}, 1)
    (begun, started), (ended, completed) = factories.told(run.session)[-2:]
    of_call = {"tool_call": str(call.pk), "run": str(run.pk), "tool": "order"}
    assert (begun, started) == (
        "tool_call.started",
        {**of_call, "attempt": 1, "effect_key": call.effect_key},
    )
    assert (ended, completed) == (
        "tool_call.completed",
        {**of_call, "duration_ms": completed["duration_ms"], "artifact": None},
    )
    assert factories.ledger(run.session)[-1].actor == "agent:scribe"


def test_what_came_of_a_call_stands_in_the_log_of_its_run_for_good():
    run, held = tools_help.working()
    call = tools_help.approved(run)
    tool_calls.start(call.pk, run_id=run.pk, fence=held.fence)

    tool_calls.finish(call.pk, run_id=run.pk, fence=held.fence, result="done")

    assert working_help.log(run)[-1] == ToolResult(
        id=str(call.pk), call=call.call_id, name="order", state="completed", result="done"
    )
    run.refresh_from_db()
    assert run.safe_seq == len(working_help.log(run))


def test_a_failure_is_told_with_its_code():
    run, held = tools_help.working()
    call = tools_help.approved(run)
    tool_calls.start(call.pk, run_id=run.pk, fence=held.fence)

    error = ToolExecutionFailed("No such order.", order=7)
    failed = tool_calls.fail(call.pk, run_id=run.pk, fence=held.fence, error=error)

    assert (failed.state, failed.error) == ("failed", error.as_dict())
    assert factories.told(run.session)[-1] == (
        "tool_call.failed",
        {
            "tool_call": str(call.pk),
            "run": str(run.pk),
            "tool": "order",
            "code": "TOOL_EXECUTION_FAILED",
            "message": "No such order.",
        },
    )


def test_what_is_no_json_is_a_failure():
    run, held = tools_help.working()
    call = tools_help.approved(run)
    tool_calls.start(call.pk, run_id=run.pk, fence=held.fence)

    failed = tool_calls.finish(call.pk, run_id=run.pk, fence=held.fence, result=object())

    assert failed.state == "failed"
    assert (failed.error or {})["code"] == "TOOL_EXECUTION_FAILED"


def test_a_long_result_begins_in_the_row_and_is_whole_in_an_artifact():
    run, held = tools_help.working()
    call = tools_help.approved(run)
    tool_calls.start(call.pk, run_id=run.pk, fence=held.fence)

    done = tool_calls.finish(
        call.pk, run_id=run.pk, fence=held.fence, result="é" * tools.MAX_RESULT
    )

    found = artifacts.named(run.session_id, f"results/{call.pk}.json")
    assert done.artifact == found
    assert artifacts.content(found).decode() == '"' + "é" * tools.MAX_RESULT + '"'
    assert (found.content_type, found.author, found.run_id) == (
        "application/json",
        "agent:scribe",
        run.pk,
    )
    kept = done.result or {}
    assert kept["artifact"] == {"id": str(found.pk), "name": found.name, "version": 1}
    assert kept["truncated"] is True
    assert factories.events(run.session)[-2:] == ["artifact.created", "tool_call.completed"]
    assert factories.told(run.session)[-1][1]["artifact"] == str(found.pk)


def test_an_effect_begins_once():
    run, held = tools_help.working()
    call = tools_help.approved(run)

    found = threads.together([partial(begun, call, run, held.fence) for _ in range(6)])

    assert sorted(found) == ["invalid"] * 5 + ["running"]
    assert factories.events(run.session).count("tool_call.started") == 1


def begun(call: ToolCall, run: Run, fence: int) -> str:
    try:
        return tool_calls.start(call.pk, run_id=run.pk, fence=fence).state
    except InvalidState:
        return "invalid"


@pytest.mark.parametrize("state", [State.PENDING, State.REJECTED, State.UNKNOWN, State.COMPLETED])
def test_what_is_not_approved_does_not_begin(state: State):
    run, held = tools_help.working()
    call = tools_help.approved(run)
    ToolCall.objects.filter(pk=call.pk).update(state=state.value)

    with pytest.raises(InvalidState):
        tool_calls.start(call.pk, run_id=run.pk, fence=held.fence)

    assert at(call) == state


def test_what_is_not_what_was_decided_about_does_not_begin():
    run, held = tools_help.working()
    call = tools_help.approved(run)
    ToolCall.objects.filter(pk=call.pk).update(arguments={"count": 100})

    with pytest.raises(InvalidState, match="decided about"):
        tool_calls.start(call.pk, run_id=run.pk, fence=held.fence)

    assert at(call) == State.APPROVED


def test_a_call_of_another_run_is_not_there():
    run, held = tools_help.working()
    other = tools_help.approved(working_help.admitted(working_help.session()))

    with pytest.raises(ToolCallNotFound):
        tool_calls.start(other.pk, run_id=run.pk, fence=held.fence)
    with pytest.raises(ToolCallNotFound):
        tool_calls.start(uuid4(), run_id=run.pk, fence=held.fence)


def test_who_was_overtaken_writes_nothing():
    run, held = tools_help.working()
    call, other = tools_help.approved(run), tools_help.approved(run)
    tool_calls.start(call.pk, run_id=run.pk, fence=held.fence)
    before = factories.events(run.session)
    Run.objects.filter(pk=run.pk).update(fence=held.fence + 1)

    for write in (
        partial(tool_calls.start, other.pk),
        partial(tool_calls.finish, call.pk, result=1),
        partial(tool_calls.fail, call.pk, error=ToolExecutionFailed()),
    ):
        with pytest.raises(Superseded):
            write(run_id=run.pk, fence=held.fence)

    assert (at(call), at(other)) == ("running", "approved")
    assert factories.events(run.session) == before


def test_what_was_done_is_told_though_the_run_was_cancelled_meanwhile():
    run, held = tools_help.working()
    call, other = tools_help.approved(run), tools_help.approved(run)
    tool_calls.start(call.pk, run_id=run.pk, fence=held.fence)
    runs.cancel(principal=factories.OPERATOR, run=run)
    log = working_help.log(run)

    tool_calls.finish(call.pk, run_id=run.pk, fence=held.fence, result="done")

    assert (at(call), at(other)) == ("completed", "cancelled")
    assert working_help.log(run) == log
    with pytest.raises(Superseded):
        tool_calls.start(other.pk, run_id=run.pk, fence=held.fence)


def test_of_a_worker_that_is_gone_nobody_knows_what_it_did():
    run, held = tools_help.working()
    call, waiting = tools_help.approved(run), tools_help.approved(run)
    again = tools_help.approved(run, "look", is_idempotent=True)
    for one in (call, again):
        tool_calls.start(one.pk, run_id=run.pk, fence=held.fence)

    lost = lose(run)

    assert {one.pk for one in lost} == {call.pk, again.pk}
    assert [at(one) for one in (call, waiting, again)] == ["unknown", "approved", "approved"]
    told = [one for one in factories.told(run.session) if one[0] == "tool_call.unknown"]
    assert {one[1]["tool"] for one in told} == {"order", "look"}
    with pytest.raises(InvalidState):
        tool_calls.start(call.pk, run_id=run.pk, fence=held.fence)


def test_an_idempotent_tool_is_carried_out_again_with_the_same_key():
    run, held = tools_help.working()
    call = tools_help.approved(run, is_idempotent=True)
    first = tool_calls.start(call.pk, run_id=run.pk, fence=held.fence)
    lose(run)

    second = tool_calls.start(call.pk, run_id=run.pk, fence=held.fence)

    assert (first.attempt, second.attempt) == (1, 2)
    assert first.effect_key == second.effect_key


def lose(run: Run) -> list[ToolCall]:
    with database.atomic():
        Run.objects.locked(run.pk)
        return tool_calls.lose_running(run.pk)


def test_nothing_is_lost_that_does_not_run():
    run, _ = tools_help.working()
    tools_help.approved(run)

    assert lose(run) == []


def test_entries_are_written_by_whoever_holds_the_run():
    run, held = tools_help.working()

    assert run_log.held(run.pk, fence=held.fence).pk == run.pk


class TestResolving:
    """A person says what came of a call that nobody knows of."""

    @pytest.fixture
    def lost(self) -> ToolCall:
        run, held = tools_help.working()
        call = tools_help.approved(run)
        tool_calls.start(call.pk, run_id=run.pk, fence=held.fence)
        lose(run)
        Run.objects.filter(pk=run.pk).update(state="waiting", waiting_for="unknown", lease=None)
        return call

    def resolve(self, call: ToolCall, outcome: Outcome, **said: Any) -> ToolCall:
        asked = {"principal": OPERATOR, "tool_call": call.pk, "outcome": outcome, **said}
        return tool_calls.resolve(**asked).tool_call

    def test_it_was_done(self, lost: ToolCall):
        found = self.resolve(lost, "completed", result={"order": 7})

        assert (found.state, found.result) == ("completed", {"order": 7})
        assert working_help.state(lost.run) == "queued"
        done = [data for word, data in factories.told(lost.session) if word.endswith("completed")]
        assert [data["by"] for data in done] == [OPERATOR.actor]
        told, status = working_help.log(lost.run)[-2:]
        assert status == Status(state="queued")
        assert told == ToolResult(
            id=str(lost.pk),
            call=lost.call_id,
            name="order",
            state="completed",
            result={"order": 7},
        )

    def test_it_was_not_done(self, lost: ToolCall):
        found = self.resolve(lost, "failed", reason="The shop knows nothing of it.")

        assert found.state == "failed"
        assert (found.error or {})["message"] == "The shop knows nothing of it."
        assert working_help.state(lost.run) == "queued"

    def test_it_is_to_be_done_again_with_the_same_key(self, lost: ToolCall):
        self.resolve(lost, "again")
        held = working_help.claimed()

        begun = tool_calls.start(lost.pk, run_id=lost.run_id, fence=held.fence)

        assert (begun.attempt, begun.effect_key) == (2, lost.effect_key)

    def test_it_is_said_once(self, lost: ToolCall):
        self.resolve(lost, "completed")

        for outcome in ("completed", "failed", "again"):
            with pytest.raises(InvalidState):
                self.resolve(lost, outcome)

    def test_a_run_waits_for_all_that_is_unknown(self, lost: ToolCall):
        other = tools_help.approved(lost.run)
        ToolCall.objects.filter(pk=other.pk).update(state="unknown")

        self.resolve(lost, "completed")

        assert working_help.state(lost.run) == "waiting"

    def test_nothing_is_done_again_for_a_run_that_is_over(self, lost: ToolCall):
        Run.objects.filter(pk=lost.run_id).update(state="failed")

        with pytest.raises(InvalidState):
            self.resolve(lost, "again")

        assert at(lost) == "unknown"

    def test_whoever_may_not_decide_says_nothing(self, lost: ToolCall):
        team = lost.session.team
        for principal, refusal in (
            (factories.member(team, scopes=["runs:write"]), PermissionDenied),
            (factories.member(factories.team("others")), ToolCallNotFound),
            (replace(OPERATOR, kind="agent"), PermissionDenied),
            (replace(OPERATOR, kind="component"), PermissionDenied),
        ):
            with pytest.raises(refusal):
                self.resolve(lost, "completed", principal=principal)

    @pytest.mark.parametrize("reason", ["x" * 2001, "a\x00b"])
    def test_a_reason_can_be_kept(self, lost: ToolCall, reason: str):
        with pytest.raises(ValidationFailed):
            self.resolve(lost, "failed", reason=reason)


def test_words_of_both_vocabularies_mean_states():
    assert selecting.states_of(["approved"]) == {State.APPROVED, State.RUNNING}
    assert selecting.states_of(["unknown", "pending"]) == {State.UNKNOWN, State.PENDING}
    assert State.EXPIRED in selecting.states_of(["failed"])
    with pytest.raises(KeyError):
        selecting.states_of(["lost"])
