"""What an answer costs: how often the database is asked, from the message to the end of its run."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions.core import run_log
from sessions.models import Run, Session
from sessions.runs import reading
from sessions.services import conversation, steps, working
from sessions.services.conversation import Utterance
from sessions.services.steps import Step
from sessions.services.working import Claimed, Own
from sessions.worker import EQUIPMENT
from streaming.models import Lease
from tests import factories
from tests.calling import Caller
from tests.factories import OPERATOR
from tests.integration.sessions import working_help as help_

pytestmark = pytest.mark.django_db

SAID = Step(
    text="It is so.",
    model="scripted",
    input_tokens=1,
    output_tokens=2,
    cost=Decimal(0),
    seconds=0.1,
)
BOUNDS = {"say": 19, "claim": 14, "read": 5, "record": 19}
"""Statements at most, beginning and ending a transaction among them, and two or three of a checkpoint."""


def say(session: Session) -> None:
    conversation.say(principal=OPERATOR, session=session, draft=Utterance("Well?"))


def asked_for(call: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        call()
    return [one["sql"] for one in captured.captured_queries]


def answered(session: Session, lease: Lease) -> dict[str, int]:
    """How many statements each part of an answer takes."""
    found: dict[str, int] = {"say": len(asked_for(lambda: say(session)))}
    taken: list[Claimed] = []
    claim = asked_for(lambda: taken.extend(working.claim(lease_id=lease.pk, limit=9)))
    [claimed] = taken
    own: Own = {"run_id": claimed.run_id, "fence": claimed.fence}
    read = asked_for(lambda: reading.outlook(claimed.run_id, EQUIPMENT, seconds=0))
    rest = [run_log.Text(text="It ")] * 50
    record = asked_for(lambda: steps.record(**own, step=SAID, rest=rest))
    counts = {"claim": claim, "read": read, "record": record}
    return found | {name: len(some) for name, some in counts.items()}


def test_an_answer_asks_the_database_no_more_than_it_must():
    help_.agent("words")
    session, lease = help_.session(agent="words"), factories.lease()
    answered(session, lease)

    counts = answered(session, lease)

    # PostgreSQL is also asked to notify other processes.
    told = connection.vendor == "postgresql"
    assert {name: count for name, count in counts.items() if count > BOUNDS[name] + told} == {}
    assert Run.objects.filter(session=session, state="completed").count() == 2


def test_an_answer_in_a_long_conversation_costs_what_it_does_in_a_short_one():
    help_.agent("words")
    session, lease = help_.session(agent="words"), factories.lease()
    answered(session, lease)
    before = answered(session, lease)
    for _ in range(8):
        answered(session, lease)

    assert answered(session, lease) == before


def test_saying_with_the_answer_asks_no_more_than_saying(program: Caller):
    help_.agent("words")
    session = help_.session(agent="words")
    address = f"/api/v1/sessions/{session.pk}"
    for path in ("messages", "chat?wait=0"):
        program.post(f"{address}/{path}", {"content": "Well?"})

    said = asked_for(lambda: program.post(f"{address}/messages", {"content": "Well?"}))
    talked = asked_for(lambda: program.post(f"{address}/chat?wait=0", {"content": "Well?"}))

    assert len(talked) <= len(said)
