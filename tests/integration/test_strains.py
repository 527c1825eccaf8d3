"""Slow statements and lost records: counted where they happen, told by Health in any process."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.utils import timezone
from prometheus_client import REGISTRY

from aegis_project import health, slow, sql
from aegis_project.database import run_db
from aegis_project.health import Finding, State
from aegis_project.kit.strains import Strain as Counted
from sessions import checks  # noqa: F401 -- it registers its checks
from streaming.core.messages import Request
from streaming.core.resume import Gap, Start
from streaming.core.rules import Keep
from streaming.engines.memory import MemoryEngine
from streaming.engines.retention import Retention
from streaming.hub import Hub
from streaming.hub.losses import Loss
from streaming.models import Log, Segment, Strain
from streaming.node import Node
from streaming.services import strains
from streaming.upkeep import StrainsJob
from tests import factories
from tests.hubs import Client, publish, seat, settle
from tests.serving import start_server

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


@pytest.fixture
def limited():
    """Everything is slow until the test is over."""
    slow.take()
    slow.limit(1e-9)
    yield
    slow.limit(django_settings.ENVIRONMENT.slow_statement_ms / 1000)
    slow.take()


@pytest.fixture
def said(settings: Any, tmp_path: Path):
    def say(**changes: Any) -> None:
        changed = {"home": tmp_path, **changes}
        settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=changed)

    say()
    return say


def found(name: str) -> Finding:
    [one] = health.examine([name])
    return one


# Statements


def test_every_way_to_the_database_is_looked_at_and_failures_too(limited: None):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 + %s", [1])
    sql.fetch(connection, "SELECT 2 * %s", [1])
    with pytest.raises(DatabaseError):
        sql.fetch(connection, "SELECT nothing FROM nowhere", [])

    counted = slow.take()

    assert {"SELECT ? + %s", "SELECT ? * %s", "SELECT nothing FROM nowhere"} <= set(counted)
    assert counted["SELECT ? + %s"].count == 1


def test_looking_leaves_the_short_way_to_sqlite_open(limited: None):
    assert connection.execute_wrappers == slow.ALONE
    assert sql.is_bare(connection) == (connection.vendor == "sqlite")


def test_what_is_quick_is_not_counted_and_zero_counts_nothing(limited: None):
    for seconds in (60, 0):
        slow.limit(seconds)
        sql.fetch(connection, "SELECT 1", [])

    assert slow.take() == {}


def test_statements_of_the_last_hour_are_told_with_the_slowest_and_clear_by_themselves(said: Any):
    said(slow_statement_ms=500)
    well = found("slow_statements")
    strains.write(
        statements={"SELECT a": Counted(2, 600.0), "SELECT b": Counted(1, 2345.6)}, losses={}
    )
    few = found("slow_statements")
    strains.write(statements={"SELECT a": Counted(7, 700.0)}, losses={})
    many = found("slow_statements")
    Strain.objects.update(seen_at=timezone.now() - timedelta(minutes=61))
    after = found("slow_statements")
    strains.forget()

    assert well.state is State.OK
    assert (few.state, many.state) == (State.NOTICE, State.WARNING)
    assert many.said == (
        "10 statements took 500 ms or more in the last hour; the slowest 2346 ms: SELECT b"
    )
    assert after == well
    assert not Strain.objects.exists()


@pytest.mark.servers
def test_what_a_server_counted_is_told_by_another_process():
    with start_server(AEGIS_SLOW_STATEMENT_MS="0.0001") as running:
        running.stop()

        told = json.loads(running.manage("aegis", "doctor", "--only", "slow_statements", "--json"))

    [one] = told["data"]
    assert one["state"] == "warning"
    assert " took 0.0001 ms or more in the last hour; the slowest " in one["said"]


def test_where_nobody_counts_it_is_not_called_well(said: Any):
    said(slow_statement_ms=0)

    assert found("slow_statements").state is State.NOTICE


# Records


@pytest.fixture
def lost():
    """A session whose subscriber `ma-cross` lost 1,200 records of a topic."""
    session = factories.session(key="desk")
    component = factories.joined(session, "ma-cross")
    strains.write(
        statements={},
        losses={
            Loss(str(session.pk), "ticks.BTC", str(component.pk)): Counted(1200),
            Loss("5f1a8c1e-0000-4000-8000-000000000001", "ticks.ETH", ""): Counted(7),
            Loss("", "others", ""): Counted(3),
        },
    )
    return session


def test_lost_records_are_told_with_who_lost_them_and_where_to_look(lost: Any):
    one = found("dropped_records")

    assert one.state is State.WARNING
    # A session that is gone by then takes what it lost with it.
    assert one.said == (
        "Subscribers lost 1203 records in the last hour: ma-cross 1200 of ticks.BTC, "
        "several 3 of others."
    )
    assert one.fix.startswith("aegis topic lag ticks.BTC --session desk shows who is behind")


def test_what_a_session_lost_goes_with_it_and_the_check_is_well_again(lost: Any):
    Strain.objects.filter(session=None).delete()
    lost.delete()

    assert found("dropped_records").state is State.OK


def test_the_command_tells_what_the_page_tells(
    lost: Any, admin_client: Any, capsys: pytest.CaptureFixture[str]
):
    call_command("aegis", "doctor", "--only", "dropped_records,slow_statements,tape", "--json")
    told = json.loads(capsys.readouterr().out)["data"]
    page = admin_client.get("/admin/health/").content.decode()

    assert [one["check"] for one in told] == ["slow_statements", "dropped_records", "tape"]
    assert all(f'data-check="{one["check"]}" data-state="{one["state"]}"' in page for one in told)


async def test_hub_counts_what_a_subscriber_was_too_late_for_and_nothing_it_asked_for():
    key = ("s", "klines.BTC")
    hub = Hub(engines=[MemoryEngine(retention=Retention(default=Keep(records=2)))])
    await publish(hub, "klines.BTC", 1, 2, 3, 4, 5)
    client = Client()

    await hub.subscribe(seat("late"), client.send, [Request("klines.BTC", Start("seq", 1))])
    await settle(hub)
    for reason in ("conflated", "seek"):
        hub.losses.add(key, "fast", Gap(1, 9, reason))

    [(loss, counted)] = hub.losses.take().items()
    assert (loss.topic, counted.count) == ("klines.BTC", 3)


@pytest.mark.django_db(transaction=True)
async def test_job_writes_what_was_counted_and_keeps_it_while_it_cannot(
    limited: None, monkeypatch: pytest.MonkeyPatch
):
    session = await run_db(factories.session)
    node, job = Node(hub=Hub(engines=[MemoryEngine()]), jobs=[]), StrainsJob()
    slow.take()
    slow.limit(60)
    slow.give_back({"SELECT slowly": Counted(3, 900.0)})
    node.hub.losses.add((str(session.pk), "a"), "", Gap(1, 5, "overrun"))
    before = metric()

    def broken(**_: Any) -> None:
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr(strains, "write", broken)
        with pytest.raises(DatabaseError):
            await job.run(node)
    await job.run(node)
    await job.run(node)

    rows = await run_db(lambda: list(Strain.objects.values_list("kind", "subject", "count")))
    assert sorted(rows) == [("loss", "a", 5), ("statement", "SELECT slowly", 3)]
    assert metric() - before == 3


def metric() -> float:
    return REGISTRY.get_sample_value("aegis_slow_statements_total") or 0.0


# Tapes


def test_tapes_above_their_limit_are_told_with_whose_they_are_mostly(said: Any):
    said(tape_limit_gb=10)
    well = found("tape")
    session = factories.session(key="desk")
    log = Log.objects.create(
        session=session, name="ticks", epoch="e", head=1_000_000, ck="0" * 16, recorded=True
    )
    Segment.objects.create(
        log=log, epoch="e", last=1_000_000, bytes=4_000_000_000, seen_at=timezone.now()
    )
    said(tape_limit_gb=1e-6)
    over = found("tape")
    said(tape_limit_gb=0)
    unlimited = found("tape")

    assert (well.state, over.state, unlimited.state) == (State.OK, State.ERROR, State.OK)
    assert over.said.endswith("; 4.0 GB are of desk.")
    assert "aegis purge --older-than 30 --dry-run" in over.fix
    # PostgreSQL knows how large its tables are, whatever was counted.
    if connection.vendor == "sqlite":
        assert over.said.startswith("Tapes take about 4.2 GB, limit 1e-06 GB")
        said(tape_limit_gb=5)
        assert found("tape").state is State.WARNING


def test_no_record_is_looked_at_to_say_how_much_there_is(django_assert_max_num_queries: Any):
    with django_assert_max_num_queries(2) as asked:
        found("tape")

    assert not [
        one for one in asked.captured_queries if 'FROM "aegis_streaming_record"' in one["sql"]
    ]
