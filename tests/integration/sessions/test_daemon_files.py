"""HEALTH_CHECK_SESSION of historical sessions: the files that they are replayed from."""

from pathlib import Path
from typing import Any

import pytest

from sessions.core.lifecycle import Mode
from sessions.services import lifecycle
from tests import archive, factories
from tests.archive import DAY_MS, trade
from tests.calling import Caller

pytestmark = [pytest.mark.dialects, pytest.mark.django_db]

TRADES, OTHERS = "trades.BTCUSDT", "trades.ETHUSDT"


@pytest.fixture(autouse=True)
def dataset(tmp_path: Path, settings: Any) -> Path:
    archive.write(tmp_path, TRADES, [trade(i, DAY_MS + i) for i in range(1, 10)])
    settings.DATASETS = {"data": tmp_path}
    return tmp_path


def health(program: Caller, **source: Any) -> Any:
    """The health of a session with this source."""
    config = {"source": {"dataset": "data", **source}}
    made = factories.session(mode=Mode.HISTORICAL, config=config)
    return program.command("HEALTH_CHECK_SESSION", {"session_id": str(made.pk)})["data"]


def test_files_that_are_there_are_counted(program: Caller):
    said = health(program, topics=[TRADES])

    files = {"data_path": "data", "files_found": 1, "files_missing": 0, "missing": []}
    assert (said["status"], said["data_files"]) == ("inactive", files)


def test_a_topic_without_a_file_degrades_its_session(program: Caller):
    said = health(program, topics=[TRADES, OTHERS, "aggTrades.*"])

    missing = [OTHERS, "aggTrades.*"]
    files = {"data_path": "data", "files_found": 1, "files_missing": 2, "missing": missing}
    assert (said["status"], said["data_files"]) == ("degraded", files)


def test_recorded_frames_are_files_too(program: Caller):
    said = health(program, layout="frames", topics=["binance.trade.BTCUSDT"])

    assert (said["status"], said["data_files"]["files_missing"]) == ("degraded", 1)


def test_a_dataset_that_is_gone_has_none_of_them(program: Caller, settings: Any):
    config = {"source": {"dataset": "data", "topics": [TRADES]}}
    made = factories.session(mode=Mode.HISTORICAL, config=config)
    settings.DATASETS = {}

    said = program.command("HEALTH_CHECK_SESSION", {"session_id": str(made.pk)})["data"]

    assert said["data_files"]["missing"] == [TRADES]


def test_what_is_replayed_from_no_files_tells_of_none(program: Caller):
    recorded = factories.session()
    source = {"layout": "recording", "session": str(recorded.pk), "topics": ["a"]}
    lifecycle.start(principal=factories.OPERATOR, session=recorded)

    assert "data_files" not in health(program, dataset=None, **source)
