"""A replay whose components are connected to several server processes."""

import secrets
import shutil
from dataclasses import replace

import pytest

from tests import archive
from tests.archive import DAY_MS, trade
from tests.e2e import remote
from tests.e2e.places import POSTGRES
from tests.e2e.remote import Member, assert_no_traceback

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.parametrize("anywhere", [POSTGRES], indirect=True, scope="module"),
]

TRADES = "trades.BTCUSDT"
ROWS = 300


@pytest.fixture(scope="module")
def servers(anywhere, tmp_path_factory):
    """Two servers with a home each on one database."""
    folder = tmp_path_factory.mktemp("clocks")
    archive.write(folder, TRADES, [trade(i, DAY_MS + 10 * i) for i in range(1, ROWS + 1)])
    settings = {"AEGIS_DATASETS": f"data={folder}", "AEGIS_SECRET_KEY": secrets.token_hex(20)}
    home = anywhere.home.with_name("second")
    shutil.copytree(anywhere.home, home)
    with (
        anywhere.serve(**settings) as first,
        replace(anywhere, home=home).serve(**settings) as second,
    ):
        yield first, second


async def test_components_at_two_processes_get_the_whole_replay(servers):
    first, second = servers
    config = {"source": {"dataset": "data", "speed": 1}}
    names = ["here", "there"]
    made = await remote.make(first, mode="historical", config=config, components=names)
    token = made["session_token"]
    async with (
        Member(first.url, token, "here", [TRADES]) as here,
        Member(second.url, token, "there", [TRADES]) as there,
    ):
        await remote.order(first, made["id"], "start?wait=20")
        await here.over()
        await there.over()
    ended = await remote.session(second, made["id"])

    for member in (here, there):
        assert [record.n for record in member.records] == list(range(1, ROWS + 1))
        assert member.receipts[TRADES].is_verified
    assert (ended["state"], ended["result"]) == ("completed", {TRADES: ROWS})
    assert_no_traceback(first)
    assert_no_traceback(second)


async def test_clock_goes_where_its_only_component_is(servers):
    first, second = servers
    config = {"source": {"dataset": "data"}}
    made = await remote.make(first, mode="historical", config=config)
    # Nobody is there yet: any process may hold the clock.
    await remote.order(first, made["id"], "start")
    async with Member(second.url, made["session_token"], "there", [TRADES]) as there:
        await there.over()
    ended = await remote.session(first, made["id"])

    assert [record.n for record in there.records] == list(range(1, ROWS + 1))
    assert ended["state"] == "completed"
