"""`aegis run`: from nothing to a running session, and on after its end."""

import shutil
from pathlib import Path

import pytest

from tests.runs import COMPONENTS, PROGRAMS, components, demo, prices, programs, run
from tests.serving import is_running, prepared, until

pytestmark = pytest.mark.timeout(500)


@pytest.fixture
def home(tmp_path):
    """A home in which nothing was ever run."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def made(tmp_path):
    """A home with all tables, which take longer than all that is looked at here."""
    return Path(shutil.copytree(prepared(), tmp_path / "home"))


def test_first_run_leads_to_a_running_session_with_moving_prices(home):
    with run(home) as running:
        session = demo(running)

        assert sorted(one["name"] for one in components(running)) == COMPONENTS
        before = until(lambda: prices(running))
        until(lambda: prices(running) > before)
        page = f"{running.url}/admin/aegis_sessions/session/{session['id']}/change/"
        assert f"{page}?tab=topics&topic=klines.BTCUSDT.1m" in running.log()
        assert "shown this once" in running.log()
        assert running.stop() == 0


def test_second_run_goes_on_with_data_session_and_password(home):
    with run(home) as first:
        before = demo(first)
        first.stop()
    said = first.log()

    with run(home) as second:
        after = demo(second)

        assert after["id"] == before["id"]
        more = second.log().removeprefix(said)
        assert "changepassword admin" in more
        assert "shown this once" not in more


def test_programs_end_with_a_run_that_is_stopped(made):
    with run(made) as running:
        demo(running)
        pids = programs(running.process.pid)

        running.stop()

    assert sorted(pids) == PROGRAMS
    assert [name for name, pid in pids.items() if is_running(pid)] == []


def test_programs_end_with_a_run_that_is_killed_and_the_next_run_goes_on(made):
    with run(made) as first:
        before = demo(first)
        pids = programs(first.process.pid)
        first.kill()

        until(lambda: not any(map(is_running, pids.values())))

    with run(made) as second:
        assert demo(second)["id"] == before["id"]
        assert sorted(programs(second.process.pid)) == PROGRAMS
        assert len(components(second)) == len(COMPONENTS)
