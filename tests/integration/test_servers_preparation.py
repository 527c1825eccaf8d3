"""What `aegis serve` refuses, and what `aegis run` prepares."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pydantic import SecretStr

from components.models import Credential
from sessions.management import demo, demo_company, preparation, scenario, serving
from sessions.management.serving import CannotServe, Plan
from sessions.models import Session
from sessions.services import lifecycle

EVERYWHERE = "0.0.0.0"  # noqa: S104 -- nothing is bound to it here
SYSTEM = demo_company.PRINCIPAL


@pytest.fixture
def setting(settings, monkeypatch):
    """Change a setting of the environment for one test."""
    return lambda name, value: monkeypatch.setattr(settings.ENVIRONMENT, name, value)


def test_open_server_listens_on_loopback_only():
    with pytest.raises(CannotServe, match="without credentials"):
        serving.refuse_unless_safe(Plan(host=EVERYWHERE, is_open=True))


def test_open_by_the_environment_listens_on_loopback_only(setting):
    setting("open", True)

    with pytest.raises(CannotServe, match="without credentials"):
        serving.refuse_unless_safe(Plan(host=EVERYWHERE))


@pytest.mark.parametrize("plan", [Plan(), Plan(host="::1", is_open=True), Plan(host=EVERYWHERE)])
def test_what_is_safe_is_not_refused(plan):
    serving.refuse_unless_safe(plan)


def test_several_processes_need_shared_stores(setting):
    setting("redis_url", "")

    with pytest.raises(CannotServe, match=r"PostgreSQL|Valkey"):
        serving.refuse_unless_safe(Plan(processes=2))


@pytest.mark.django_db
def test_migrated_database_is_served():
    preparation.refuse_unless_migrated()

    assert preparation.migrate().endswith("is up to date.")


@pytest.mark.django_db
def test_first_administrator_gets_a_password_that_is_said_once(setting):
    setting("admin_password", SecretStr(""))

    said = preparation.first_administrator()

    admin = User.objects.get(username="admin")
    name, _, password, *_ = said.split()
    assert (name, admin.is_superuser) == ("admin", True)
    assert admin.check_password(password)
    assert [team.name for team in admin.groups.all()] == ["default"]
    assert password not in preparation.first_administrator()


@pytest.mark.django_db
def test_first_administrator_gets_the_password_of_the_environment_unsaid(setting):
    setting("admin_password", SecretStr("a given pass phrase"))

    said = preparation.first_administrator()

    assert User.objects.get(username="admin").check_password("a given pass phrase")
    assert "given" not in said


@pytest.mark.django_db
def test_present_administrator_is_left_alone():
    User.objects.create_superuser("root", "", "as before")

    said = preparation.first_administrator()

    assert said.startswith("root, ")
    assert "manage.py changepassword root" in said
    assert User.objects.count() == 1
    assert User.objects.get().check_password("as before")


@pytest.mark.django_db
def test_demo_session_is_starting_with_its_required_components():
    with demo.prepared(None) as shown:
        session = shown.session
        session.refresh_from_db()
        rows = session.components.order_by("name").values_list("name", "role", "required")

        assert (session.key, session.name) == ("btc-flash-dip", "BTC flash dip")
        assert (session.kind, session.mode) == ("stream", "realtime")
        assert (session.environment, session.metadata) == ("test", {"demo": True})
        assert session.is_starting
        assert list(rows) == [
            ("book-feed", "feed", False),
            ("ma-cross", "strategy", True),
            ("paper-desk", "tool", False),
            ("risk-meter", "observer", False),
            ("sim-exchange", "feed", True),
        ]
        assert session.tags == ["demo"]


@pytest.mark.django_db
def test_second_demo_goes_on_with_the_same_session_and_another_token():
    with demo.prepared(None) as first:
        pass
    with demo.prepared(None) as second:
        usable = Credential.objects.filter(session=second.session, revoked_at=None).count()

    assert first.session.pk == second.session.pk
    assert usable == 1
    assert not Credential.objects.filter(revoked_at=None).exists()


@pytest.mark.django_db
def test_start_that_an_earlier_run_left_waiting_begins_anew():
    with demo.prepared(None) as first:
        before = Session.objects.get(pk=first.session.pk).start_deadline_at

    with demo.prepared(None) as second:
        row = Session.objects.get(pk=second.session.pk)

    assert row.is_starting
    assert None not in {before, row.start_deadline_at}
    assert row.start_deadline_at != before


@pytest.mark.django_db
def test_demo_after_its_session_was_ended_has_a_new_one():
    with demo.prepared(None) as first:
        lifecycle.end(principal=SYSTEM, session=first.session)

    with demo.prepared(None) as second:
        assert (first.session.key, second.session.key) == ("btc-flash-dip", "btc-flash-dip-2")


def test_programs_of_the_demo_are_in_the_checkout(settings):
    parts = scenario.STORY.parts

    assert [part for part in parts if not Path(settings.BASE_DIR, part.program).exists()] == []


@pytest.fixture
def exchange_files(tmp_path, settings, monkeypatch):
    """Make files of the archive's layout with one row each, in a folder of their own."""
    settings.DATASETS = {}
    monkeypatch.setenv("AEGIS_DATASETS", "")

    def make(**rows):
        for name, row in rows.items():
            file = tmp_path / "files" / FILES[name]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(row + "\n")
        return tmp_path / "files"

    return make


FILES = {
    "coarse": "BTCUSDT/klines/30m/BTCUSDT-30m-2024-08-08.csv",
    "minute": "BTCUSDT/klines/1m/BTCUSDT-1m-2024-08-08.csv",
    "other": "ADAUSDT/klines/1m/ADAUSDT-1m-2024-08-08.csv",
    "trades": "BTCUSDT/trades/BTCUSDT-trades-2024-08-08.csv",
    "former": "BTCUSDT/trades/BTCUSDT-trades-2024-08-01.csv",
}
MIDNIGHT_MS = 1_723_075_200_000
BEGIN_MS = MIDNIGHT_MS + 3_600_000
TRADE = f"1,100.5,2,201,{BEGIN_MS},true"


def kline(length_ms, begin_ms=BEGIN_MS):
    return f"{begin_ms},1,2,1,2,5,{begin_ms + length_ms - 1},10,3,1,2,0"


def source_of(played):
    return played.config["source"]


def test_replay_begins_with_the_finest_klines_at_a_pace_for_trades(exchange_files):
    folder = exchange_files(
        coarse=kline(1_800_000, MIDNIGHT_MS), minute=kline(60_000), trades=TRADE
    )

    played = scenario.replayed(folder)

    source = {"layout": "csv", "dataset": "data", "from": BEGIN_MS - 1, "speed": 5}
    assert source_of(played) == source
    assert [part.name for part in played.parts] == ["strategy", "sink"]
    assert played.prices == "klines.BTCUSDT.1m"


def test_replay_without_trades_that_day_lets_a_kline_take_a_second(exchange_files):
    folder = exchange_files(minute=kline(60_000), former=TRADE)

    assert source_of(scenario.replayed(folder))["speed"] == 60


def test_replay_of_coarse_klines_is_as_fast_as_can_be_and_has_no_strategy(exchange_files):
    played = scenario.replayed(exchange_files(coarse=kline(1_800_000)))

    assert source_of(played)["speed"] == 100
    assert [part.name for part in played.parts] == ["sink"]


def test_replay_without_klines_follows_what_there_is(exchange_files):
    played = scenario.replayed(exchange_files(trades=TRADE))

    assert (played.prices, source_of(played)["from"]) == ("trades.BTCUSDT", BEGIN_MS)


def test_replay_follows_another_symbol_where_there_is_no_bitcoin(exchange_files):
    played = scenario.replayed(exchange_files(other=kline(60_000)))

    assert list(played.parts[0].arguments) == ["--symbol", "ADAUSDT"]


def test_replay_of_a_folder_without_exchange_files_is_refused(tmp_path):
    with pytest.raises(CannotServe, match="no exchange files"):
        scenario.replayed(tmp_path)


def test_replay_of_files_without_a_good_row_is_refused(exchange_files):
    with pytest.raises(CannotServe, match="No row of"):
        scenario.replayed(exchange_files(minute="what,is,this"))


@pytest.mark.django_db
def test_replayed_demo_is_a_historical_session_of_its_own(exchange_files):
    folder = exchange_files(minute=kline(60_000))

    with demo.prepared(None) as simulated, demo.prepared(folder) as replayed:
        session = replayed.session

    assert session.pk != simulated.session.pk
    assert (session.key, session.mode) == ("data-demo", "historical")
    assert sorted(session.components.values_list("name", flat=True)) == ["sink", "strategy"]
