"""Agents that let others do a part of the work: under their run, within what it has left."""

from decimal import Decimal

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from aegis_project.database import run_db
from aegis_project.kit.errors import InvalidState, ValidationFailed
from sessions.admin.run_cells import families
from sessions.agent import llm
from sessions.core.errors import AgentNotFound, BudgetExceeded, RunNotFound
from sessions.models import Run, ToolCall
from sessions.runs.reading import Equipment
from sessions.selectors import budgets, voices
from sessions.services import delegation, runs
from sessions.toolbox import box
from tests import factories
from tests.factories import OPERATOR
from tests.integration.sessions import toolbox_help
from tests.integration.sessions import working_help as help_
from tests.integration.sessions.test_execution import begin, ended, working

pytestmark = pytest.mark.django_db(transaction=True)

TOOLS = Equipment(service_for=llm.service_for, toolbox_of=box.of)


def boss(**fields):
    return help_.agent("boss", tools=["delegate*"], **fields)


def parent(**fields) -> Run:
    help_.agent("helper", settings={"script": [{"text": "It is 42."}]})
    return help_.admitted(help_.session(), agent=boss(), **fields)


def give(run: Run, **said) -> Run:
    asked = {"agent": "helper", "task": "How much?", **said}
    return delegation.begin(principal=OPERATOR, session=run.session, parent=run.pk, **asked)


async def test_another_agent_answers_under_the_run_that_asked():
    call = {"tool": "delegate", "arguments": {"agent": "helper", "task": "How much?"}}
    session = await run_db(lambda: help_.session(config={"policy": "auto"}))
    await run_db(lambda: help_.agent("helper", settings={"script": [{"text": "It is 42."}]}))
    agent = await run_db(boss)

    async with working(TOOLS):
        run = await begin({"tools": [call]}, {"text": "Done."}, agent=agent, session=session)
        row = await ended(run)

    below = await run_db(Run.objects.get, parent=run)
    result = (await run_db(ToolCall.objects.get)).result
    assert (below.agent_slug, below.depth, below.requested_by) == ("helper", 1, "agent:boss")
    assert (below.user_id, below.state) == (row.user_id, "completed")
    assert result == {
        "run": str(below.pk),
        "agent": "helper",
        "state": "completed",
        "answer": "It is 42.",
    }


async def test_one_that_takes_longer_is_looked_at_again():
    run = await run_db(parent)
    said = {"agent": "helper", "task": "How much?", "wait_seconds": 0}

    first = await toolbox_help.use(run, "delegate", same="key", **said)
    again = await toolbox_help.use(run, "delegate", same="key", **said)
    later = await toolbox_help.use(run, "delegated", run=first["run"])

    assert first == again == later
    assert first["state"] == "queued"
    assert await run_db(Run.objects.filter(parent=run).count) == 1
    for wrong in ("nonsense", str(run.pk)):
        with pytest.raises(RunNotFound):
            await toolbox_help.use(run, "delegated", run=wrong)


def test_what_it_takes_counts_for_the_run_that_began_it():
    run = parent(limits={"max_tokens": 100, "max_cost": "1"})
    Run.objects.filter(pk=run.pk).update(token_count=30, cost=Decimal("0.25"))

    below = give(run)
    left = below.limits
    Run.objects.filter(pk=below.pk).update(token_count=70, cost=Decimal("0.5"))

    row = Run.objects.select_related("agent", "session").get(pk=run.pk)
    assert left == {"max_tokens": 70, "max_cost": "0.750000"}
    assert budgets.room(row) == 0
    with pytest.raises(BudgetExceeded):
        budgets.check(row)
    with pytest.raises(BudgetExceeded):
        give(run)


def test_it_is_shown_beneath_the_run_that_began_it():
    run = parent()
    help_.admitted(run.session)
    give(run)

    shown = families(voices.last_runs(run.session_id, limit=9), now=timezone.now())
    rows = render_to_string("admin/aegis/session/calls.html", {"runs": shown})

    assert [one["run"].place for one in shown] == [2, 1, 3]
    assert rows.count("begun by the run above:") == 1


def test_it_is_cancelled_with_the_run_that_began_it():
    run = parent()
    below = give(run)

    runs.cancel(principal=OPERATOR, run=run)

    assert help_.state(below) == "cancelled"
    with pytest.raises(InvalidState):
        give(run)


def test_it_goes_no_deeper_than_the_limits_allow():
    run = parent()
    third = help_.agent("third", limits={"max_depth": 1})
    below = give(run)

    with pytest.raises(BudgetExceeded):
        give(below, agent=third.slug)


@pytest.mark.parametrize(("agent", "error"), [("boss", ValidationFailed), ("x", AgentNotFound)])
def test_only_another_agent_is_given_something(agent, error):
    with pytest.raises(error):
        give(parent(), agent=agent)


def test_a_run_of_another_session_is_not_gone_on_with():
    run, other = parent(), factories.session()

    with pytest.raises(InvalidState):
        delegation.begin(principal=OPERATOR, session=other, parent=run.pk, agent="helper", task="x")
