"""What processes tell each other of their topics."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from aegis_project.database import run_db
from streaming.hub import Hub
from streaming.hub.hearsay import Hearsay
from streaming.jobs import ReportsJob
from streaming.models import Lease, Report
from streaming.node import Node
from streaming.services import leases, reports
from streaming.services.reports import Told
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

BODY = b'{"book":{}}'


def lease(*, seconds=15):
    return Lease.objects.create(expires_at=timezone.now() + timedelta(seconds=seconds))


@pytest.fixture
def session(db):
    return factories.session()


def test_others_read_what_a_process_wrote(session):
    mine, other = lease(), lease()
    reports.write(lease_id=other.pk, bodies={str(session.pk): BODY}, held={str(session.pk)})

    told, missing = reports.read(lease_id=mine.pk)

    (one,) = told
    assert (one.process, one.session_id, one.body, missing) == (
        str(other.pk),
        str(session.pk),
        BODY,
        0,
    )
    assert reports.read(lease_id=other.pk) == ([], 0)


def test_newer_report_takes_the_place_of_the_older(session):
    mine, other, key = lease(), lease(), str(session.pk)
    for body in (BODY, b"{}"):
        reports.write(lease_id=other.pk, bodies={key: body}, held={key})

    told, _ = reports.read(lease_id=mine.pk)

    assert [one.body for one in told] == [b"{}"]


def test_report_of_a_session_that_is_not_held_any_more_goes(session):
    other, key = lease(), str(session.pk)
    reports.write(lease_id=other.pk, bodies={key: BODY}, held={key})
    reports.write(lease_id=other.pk, bodies={}, held=set())

    assert Report.objects.count() == 0


def test_report_of_a_session_that_was_removed_is_left_out(session):
    other = lease()
    gone = "5f1a8c1e-0000-4000-8000-000000000001"
    reports.write(lease_id=other.pk, bodies={gone: BODY}, held={gone})

    assert Report.objects.count() == 0


def test_process_that_is_gone_tells_nothing_and_one_that_is_silent_is_missing(session):
    mine, gone, silent, key = lease(), lease(seconds=-1), lease(), str(session.pk)
    reports.write(lease_id=gone.pk, bodies={key: BODY}, held={key})
    Lease.objects.filter(pk=silent.pk).update(started_at=timezone.now() - timedelta(seconds=60))

    assert reports.read(lease_id=mine.pk) == ([], 1)


async def test_process_that_is_alone_writes_nothing_others_are_told(session):
    node = Node(hub=Hub(), jobs=[])
    job, key = ReportsJob(), str(session.pk)
    node.lease_id = (await run_db(leases.take, url="")).pk
    await node.hub.publish((key, "book"), [(1, b"1")])

    await job.run(node)
    assert await run_db(Report.objects.count) == 0
    other = await run_db(lease)
    await job.run(node)
    told, _ = await run_db(reports.read, lease_id=other.pk)

    # SQLite serves one process: whoever holds a lease there beside it is gone.
    is_told = connection.vendor == "postgresql"
    assert [one.session_id for one in told] == ([key] if is_told else [])
    assert node.hub.watch.sessions(node.hub) == {key}


def test_what_was_told_grows_older_and_nonsense_is_left_out():
    at = timezone.now()
    body = (
        b'{"book":{"figures":{"name":"book","alias":1,"epoch":"e","start":1,"head":2,"ck":"",'
        b'"records":2,"bytes":2,"subscribers":0,"deliveries":0,"gaps":0,"dropped":0,"last_ts":0,'
        b'"lag":0,"is_source":false,"is_ended":false},"quiet":1.5}}'
    )
    told = [Told("p", "s", at, body), Told("q", "s", at, b'{"book":7}')]
    hearsay = Hearsay()

    first = hearsay.take(told, now=at)
    later = hearsay.take(told, now=at + timedelta(seconds=10))

    assert (first["p"]["s"]["book"].quiet, later["p"]["s"]["book"].quiet) == (1.5, 11.5)
    assert set(later) == {"p"}
