"""Who works on a run: claims, fences, and what becomes of the run of a process that is gone."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from sessions.core.errors import WorkerLost
from sessions.core.run_log import Error, Start, Status, Text, Usage
from sessions.models import Run
from sessions.selectors import work
from sessions.services import lifecycle, working
from sessions.services import run_log as logs
from streaming.core import position
from streaming.models import Lease, Log, Record
from tests import factories, threads
from tests.integration.sessions import working_help as help_
from tests.integration.sessions.working_help import text

pytestmark = pytest.mark.django_db(transaction=True)


def test_claim_begins_the_first_attempt():
    session = help_.session()
    run = help_.admitted(session, task="t")

    held = help_.claimed()

    assert (held.run_id, held.attempt, held.fence) == (run.pk, 1, 1)
    assert help_.log(run) == [
        Start(run=str(run.pk), agent="scribe", attempt=1, keeps=0, task="t", message=None)
    ]
    assert factories.events(session)[-2:] == ["run.started", "stream.started"]


def test_of_many_processes_one_takes_a_run():
    run = help_.admitted(help_.session())
    leases = [factories.lease() for _ in range(8)]

    taken = threads.together(
        [partial(working.claim, lease_id=lease.pk, limit=2) for lease in leases]
    )

    assert sum(len(one) for one in taken) == 1
    assert Run.objects.get(pk=run.pk).fence == 1


def test_what_is_written_is_gap_free_and_chained():
    run = help_.admitted(help_.session())
    held = help_.claimed()

    last = logs.write(run.pk, fence=held.fence, entries=[text(str(n)) for n in range(20)])

    log = Log.objects.get(name=f"runs.{run.pk}")
    rows = list(Record.objects.filter(log=log).order_by("seq").values_list("seq", "ck", "body"))
    ck = position.genesis(log.name, log.epoch)
    for seq, _, body in rows:
        ck = position.chain(ck, seq, bytes(body))
    assert [seq for seq, _, _ in rows] == list(range(1, 22))
    assert (log.head, log.ck, last) == (21, ck.hex(), 21)


def test_older_fence_writes_nothing():
    run = help_.admitted(help_.session())
    first = help_.claimed()
    working.release(run_id=run.pk, fence=first.fence, reason="worker ends")
    second = help_.claimed()

    with pytest.raises(logs.Superseded):
        logs.write(run.pk, fence=first.fence, entries=[text("late")])

    assert logs.write_all(
        [
            logs.Batch(run.pk, first.fence, [text("x")]),
            logs.Batch(run.pk, second.fence, [text("y")]),
        ]
    ).keys() == {run.pk}
    assert [one.text for one in help_.log(run) if isinstance(one, Text)] == ["y"]
    assert not working.release(run_id=run.pk, fence=first.fence, reason="late")
    assert not working.fail(run_id=run.pk, fence=first.fence, error=WorkerLost())


def test_run_of_a_process_that_is_gone_is_taken_over_with_a_new_attempt():
    session = help_.session()
    run = help_.admitted(session)
    lease = factories.lease()
    held = help_.claimed(lease)
    logs.write(run.pk, fence=held.fence, entries=[text("half a")])
    assert work.lost(now=timezone.now()) == []
    die(lease)

    assert work.lost(now=timezone.now()) == [run.pk]
    assert working.take_over(run_id=run.pk)
    assert not working.take_over(run_id=run.pk)

    assert help_.claimed().attempt == 2
    assert help_.log(run)[1:] == [
        Text(text="half a"),
        Status(state="queued"),
        Start(run=str(run.pk), agent="scribe", attempt=2, keeps=0),
    ]
    assert factories.told(session)[-3][1]["reason"] == "worker lost"


def test_run_that_stands_at_a_safe_point_keeps_its_attempt():
    run = help_.admitted(help_.session())
    held = help_.claimed()

    working.release(run_id=run.pk, fence=held.fence, reason="session paused", is_safe=True)

    assert help_.claimed().attempt == 1


def test_run_whose_worker_was_gone_three_times_fails():
    run = help_.admitted(help_.session())

    for _ in range(3):
        lease = factories.lease()
        help_.claimed(lease)
        die(lease)
        working.take_over(run_id=run.pk)

    row = Run.objects.get(pk=run.pk)
    assert (row.state, row.attempt, row.losses) == ("failed", 3, 3)
    assert help_.log(run)[-1] == Error(
        code="WORKER_LOST", message="Its worker was gone 3 times.", details={}, usage=Usage()
    )


def test_process_finds_what_it_claimed_and_does_not_work_on():
    run = help_.admitted(help_.session())
    lease = factories.lease()
    held = help_.claimed(lease)

    assert work.orphans(lease_id=lease.pk, held=[]) == [(run.pk, held.fence)]
    assert work.orphans(lease_id=lease.pk, held=[run.pk]) == []


def test_worker_hears_of_a_pause_by_the_standing_of_its_run():
    session = help_.session()
    run = help_.admitted(session)
    held = help_.claimed()

    before = work.standings([run.pk])
    lifecycle.pause(principal=factories.OPERATOR, session=session)

    assert before == {run.pk: work.Standing(held.fence, "working", is_held=False)}
    assert work.standings([run.pk])[run.pk].is_held


def test_looking_for_work_where_there_is_none_is_one_question(django_assert_num_queries):
    lease = factories.lease()

    with django_assert_num_queries(1):
        assert working.claim(lease_id=lease.pk, limit=5) == []

    assert not connection.in_atomic_block


def die(lease: Lease) -> None:
    Lease.objects.filter(pk=lease.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
