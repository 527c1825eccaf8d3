"""A drive that is ended in the middle leaves the clock where it was last saved."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from aegis_project.database import read_db, run_db
from sessions.core.lifecycle import Mode
from sessions.driver import load_view
from sessions.driver.drive import Drive
from sessions.driver.views import Views
from sessions.models import Replay
from sessions.services import clocks, driving, lifecycle
from streaming.engines import replay_seek
from streaming.engines.replay import ReplayView
from streaming.node import Node
from tests import archive, factories
from tests.archive import DAY_MS, trade
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db(transaction=True)

TRADES = "trades.BTCUSDT"


@pytest.fixture(autouse=True)
def dataset(tmp_path, settings):
    archive.write(tmp_path, TRADES, [trade(i, DAY_MS + i) for i in range(1, 10)])
    settings.DATASETS = {"data": tmp_path}


def claimed_clock() -> driving.Claimed:
    """The clock of a paused session before its first record, to be set to the eighth."""
    config = {"source": {"dataset": "data"}}
    session = factories.session(mode=Mode.HISTORICAL, config=config)
    lifecycle.start(principal=OPERATOR, session=session)
    lifecycle.pause(principal=OPERATOR, session=session)
    clocks.seek(principal=OPERATOR, session=session, to=DAY_MS + 8)
    replay = Replay.objects.get(session=session)
    claimed = driving.claim(replay_id=replay.pk, lease_id=factories.lease().pk)
    assert claimed is not None
    return claimed


async def drive_of(claimed: driving.Claimed) -> tuple[Drive, ReplayView]:
    """A drive over a view that has not come to where the clock was saved."""
    view = await load_view(str(claimed.session_id))
    assert view is not None

    async def current(session_id: str, *, generation: int) -> ReplayView:
        return view

    node = cast(Node, SimpleNamespace(hub=None, lease_id=None))
    views = cast(Views, SimpleNamespace(current=current))
    return Drive(node, views, claimed), view


async def cancelled(drive: Drive, reached: asyncio.Event) -> Replay:
    """The row of a clock whose drive was cancelled when it came to a point."""
    task = asyncio.create_task(drive.run())
    await reached.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    found: Replay = await read_db(Replay.objects.get, pk=drive.claimed.replay_id)
    return found


def halt(reached: asyncio.Event) -> Any:
    async def never(*given: Any, **named: Any) -> None:
        reached.set()
        await asyncio.Event().wait()

    return never


async def test_clock_that_was_set_stays_set_when_its_view_was_not_opened_yet(monkeypatch):
    drive, _ = await drive_of(await run_db(claimed_clock))
    reached = asyncio.Event()
    monkeypatch.setattr(replay_seek, "reopen", halt(reached))

    row = await cancelled(drive, reached)

    assert (row.clock, row.n, row.seek_to, row.lease) == (DAY_MS + 8, 7, None, None)


async def test_clock_does_not_go_back_to_a_view_that_was_coming_after_it(monkeypatch):
    drive, view = await drive_of(await run_db(claimed_clock))
    await run_db(Replay.objects.filter(pk=drive.claimed.replay_id).update, n=3, clock=DAY_MS + 3)
    reached = asyncio.Event()
    monkeypatch.setattr(view, "advance", halt(reached))

    row = await cancelled(drive, reached)

    assert (row.clock, row.n, row.seek_to, row.lease) == (DAY_MS + 3, 3, DAY_MS + 8, None)
