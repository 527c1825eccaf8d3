"""Numbers of the sessions in view."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from sessions.core.lifecycle import State
from sessions.models import Agent, Approval, Message, Run, Session, ToolCall
from sessions.selectors import statistics
from streaming.models import Log
from tests import asking, factories
from tests.asking import Asking
from tests.calling import Caller, caller, code
from tests.factories import OPERATOR

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

ALL = "/api/v1/statistics?fresh=true"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
OF = "&since=2026-03-09T00:00:00Z&until=2026-03-11T00:00:00Z"


@pytest.fixture
def agent() -> Agent:
    return asking.agent("analyst")


@pytest.fixture
def work(agent) -> Session:
    """A session in which one run on the tenth of March took 90 s to be let go on."""
    session = factories.session(key="k", team="default", agent=agent.slug)
    run = asking.run(session, by=OPERATOR, of=agent)
    approval = asking.approval(run, call=asking.asked(run, Asking(arguments={"symbol": "X"})))
    Run.objects.update(
        created_at=NOON, state="completed", token_count=120, cost="0.25", worked_seconds=2
    )
    ToolCall.objects.update(
        created_at=NOON,
        state="completed",
        started_at=NOON,
        ended_at=NOON + timedelta(seconds=3),
    )
    Approval.objects.filter(pk=approval.pk).update(
        requested_at=NOON, decided_at=NOON + timedelta(seconds=90), state="approved"
    )
    Message.objects.update(created_at=NOON)
    Session.objects.update(created_at=NOON - timedelta(days=9))
    session.refresh_from_db()
    Log.objects.create(
        session=session, name="prices", epoch="e", ck="0" * 16, head=7, recorded=True
    )
    return session


def test_everything_is_counted_in_its_span(program: Caller, work):
    found = program.get(ALL + OF).json()

    tool = ToolCall.objects.get().tool
    runs = {"runs": 1, "failed": 0, "tokens": 120, "cost": "0.250000"}
    assert found["sessions"] == {
        "total": 1, "by_state": {work.state: 1}, "by_kind": {work.kind: 1}, "created": 0,
        "completed": 0, "failed": 0, "ended": 0, "success": None,
    }  # fmt: skip
    assert found["runs"] == {
        "total": 1, "by_state": {"completed": 1}, "tokens": 120, "cost": "0.250000",
        "steps": Run.objects.get().steps, "worked_seconds": 2.0, "success": 1.0,
    }  # fmt: skip
    assert found["tool_calls"] == {
        "total": 1, "by_state": {"completed": 1}, "success": 1.0,
        "tools": [{"tool": tool, "calls": 1, "failed": 0, "seconds": 3.0}],
    }  # fmt: skip
    assert found["approvals"] == {
        "total": 1, "by_state": {"approved": 1}, "p50_seconds": 90.0, "p95_seconds": 90.0,
        "waited_seconds": 90.0, "expired": 0.0,
    }  # fmt: skip
    assert found["topics"] == {
        "total": 1, "recorded": 1,
        "top": [{"session": str(work.pk), "key": "k", "topic": "prices", "records": 7}],
    }  # fmt: skip
    assert found["messages"]["total"] == Message.objects.count()
    assert found["agents"] == [{"agent": "analyst"} | runs]
    assert found["busiest"] == [{"session": str(work.pk), "key": "k", "name": work.name} | runs]
    nothing = {"sessions": 0, "messages": 0, "runs": 0, "tokens": 0, "cost": "0.000000"}
    nothing |= {"tool_calls": 0, "approvals": 0}
    assert found["before"] == nothing
    said = {"messages": Message.objects.count(), "tool_calls": 1, "approvals": 1}
    assert found["days"] == [
        {"day": "2026-03-09"} | nothing,
        {"day": "2026-03-10", "sessions": 0, "runs": 1, "tokens": 120, "cost": "0.250000"} | said,
    ]


def test_what_lies_before_is_compared(program: Caller, work):
    later = "&since=2026-03-11T00:00:00Z&until=2026-03-13T00:00:00Z"

    found = program.get(ALL + later).json()

    assert (found["runs"]["total"], found["before"]["runs"], found["before"]["tokens"]) == (
        0,
        1,
        120,
    )


def test_days_are_those_of_the_zone(program: Caller, work):
    Run.objects.update(created_at=datetime(2026, 3, 9, 23, 30, tzinfo=UTC))

    utc, paris = (program.get(f"{ALL}{OF}&zone={zone}").json() for zone in ("UTC", "Europe/Paris"))

    nepal = program.get(f"{ALL}{OF}&zone=Asia/Kathmandu").json()

    assert [one["runs"] for one in nepal["days"]] == [0, 1, 0]
    assert [(one["day"], one["runs"]) for one in utc["days"]] == [
        ("2026-03-09", 1),
        ("2026-03-10", 0),
    ]
    assert [(one["day"], one["runs"]) for one in paris["days"]] == [
        ("2026-03-09", 0),
        ("2026-03-10", 1),
        ("2026-03-11", 0),
    ]


def test_the_file_has_the_days_of_the_answer(program: Caller, work):
    days = program.get(ALL + OF).json()["days"]

    file = program.get(f"/api/v1/statistics/export?fresh=true{OF}")

    lines = [line.split(",") for line in file.content.decode().splitlines()]
    assert lines == [list(days[0]), *([str(value) for value in one.values()] for one in days)]
    assert "statistics-2026-03-09-2026-03-10.csv" in file["Content-Disposition"]


def test_numbers_are_narrowed(program: Caller, work):
    wanted = {
        "": 1, "&session=k": 1, "&team=default": 1, "&team=nowhere": 0, "&agent=analyst": 1,
        "&agent=other": 0, "&own=true": 0,
    }  # fmt: skip

    found = {word: program.get(f"{ALL}{OF}{word}").json()["runs"]["total"] for word in wanted}

    assert found == wanted
    assert code(program.get(f"{ALL}&session=absent")) == (404, "SESSION_NOT_FOUND")


@pytest.mark.parametrize(
    "wrong",
    [
        "zone=Nowhere",
        "zone=../etc/passwd",
        "zone=",
        "since=2026-03-11T00:00:00Z&until=2026-03-11T00:00:00Z",
        "since=2020-03-11T00:00:00Z",
        "until=0001-01-01T00:00:00Z",
        "until=9999-12-31T23:59:59Z",
    ],
)
def test_what_cannot_be_asked_is_refused(program: Caller, wrong):
    assert code(program.get(f"{ALL}&{wrong}")) == (400, "VALIDATION_ERROR")


def test_what_may_not_be_read_is_null(work):
    found = caller(["sessions:read"]).get(ALL + OF).json()

    parts = ("messages", "runs", "tool_calls", "approvals", "topics", "agents", "busiest")
    assert [found[name] for name in parts] == [None] * len(parts)
    assert found["days"][1] == {
        "day": "2026-03-10", "sessions": 0, "messages": None, "runs": None, "tokens": None,
        "cost": None, "tool_calls": None, "approvals": None,
    }  # fmt: skip
    assert found["before"]["sessions"] == 0
    assert found["before"]["runs"] is None
    assert code(caller(["runs:read"]).get(ALL)) == (403, "PERMISSION_DENIED")


def test_nothing_of_another_team_is_counted(work):
    found = caller(team="other").get(ALL + OF).json()

    assert (found["sessions"]["total"], found["runs"]["total"], found["topics"]["total"]) == (
        0, 0, 0,
    )  # fmt: skip


def test_numbers_are_kept_a_while_with_their_time(program: Caller, work):
    kept = f"/api/v1/statistics?team=default{OF}"
    fresh = program.get(f"{kept}&fresh=true").json()
    Run.objects.all().delete()

    again, anew = program.get(kept).json(), program.get(f"{kept}&fresh=true").json()

    assert again == fresh
    assert (again["runs"]["total"], anew["runs"]["total"]) == (1, 0)
    assert anew["calculated_at"] > fresh["calculated_at"]


def test_as_many_questions_for_many_sessions_as_for_one(work, django_assert_max_num_queries):
    for number in range(5):
        factories.session(key=f"more-{number}", team="default")

    with django_assert_max_num_queries(32):
        statistics.read(OPERATOR, statistics.Wanted(), is_fresh=True)


def test_the_command_line_shows_a_table_at_a_time(work, anywhere):
    Run.objects.update(created_at=timezone.now())

    found = anywhere("statistics", "--range", "24h", "--fresh", "--json").document
    agents = anywhere("statistics", "--by", "agent", "--fresh", "-q")
    whole = anywhere("statistics")

    assert found["data"]["runs"]["total"] == 1
    assert agents.out.split() == ["analyst"]
    assert "tokens" in whole.out
    assert anywhere("statistics", "--range", "soon").code == 2


def test_the_command_line_counts_in_the_span_that_it_was_told(work, anywhere):
    Run.objects.update(created_at=timezone.now() - timedelta(days=2))

    spans = ("24h", "7d")
    found = [anywhere("statistics", "--range", one, "--fresh", "--json").document for one in spans]

    assert [one["data"]["runs"]["total"] for one in found] == [0, 1]


def test_sessions_are_counted_by_kind_and_state(anywhere):
    factories.session_in(State.RUNNING, key="k")
    factories.session(key="other")

    kinds = anywhere("stats", "--by", "kind", "--fresh")
    states = anywhere("statistics", "--by", "state")
    document = anywhere("stats", "--json").document

    assert [line.split() for line in kinds.out.splitlines()] == [
        ["KIND", "SESSIONS"],
        ["stream", "2"],
    ]
    assert sorted(line.split()[0] for line in states.out.splitlines()[1:]) == ["created", "running"]
    assert document["schema"] == "aegis.statistics/1"
