"""The page Statistics."""

import csv
import io
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse

from sessions.admin.columns import Chart
from sessions.admin.statistics import CHARTS, NAME
from sessions.models import Run, Session
from streaming.models import Log
from tests import asking

PAGE = "admin:" + NAME


@pytest.fixture
def page(client, superuser):
    client.force_login(superuser)

    def get(**query):
        return client.get(reverse(PAGE), {"fresh": "1", **query})

    return get


def test_the_page_shows_what_the_interface_counts(page, new_session):
    new_session("one")
    new_session("two", kind="chat")

    shown = page().content.decode()

    assert re.findall(r'state__exact=(\w+)">', shown) == ["created"]
    assert "Sessions made: 2 from" in shown
    assert shown.count('<svg class="ae-days"') == 1


def made_on(new_session, *days: int) -> None:
    """A session a day of March 2026, two on the first of them."""
    for place, day in enumerate([days[0], *days]):
        row = new_session(f"s{place}")
        Session.objects.filter(pk=row.pk).update(created_at=datetime(2026, 3, day, 12, tzinfo=UTC))


def of_chart(shown: str, title: str) -> str:
    """The panel of one chart."""
    (found,) = re.findall(rf">{title} by day</h3>(.*?)</section>", shown, re.DOTALL)
    return str(found)


def columns(panel: str) -> list[tuple[str, str]]:
    """What is drawn: the day of each column, and its number."""
    return re.findall(r"<rect [^>]*><title>([\d-]+): ([\d.]+)</title>", panel)


def table(panel: str) -> list[tuple[str, str]]:
    """The rows of its table, those of nothing included."""
    rows = re.findall(r"<td>([\d-]+)</td>\s*<td[^>]*>([^<]+)</td>", panel)
    return [(day, number.strip()) for day, number in rows]


def test_each_chart_has_its_table_and_the_file_has_the_same(page, new_session):
    made_on(new_session, 5, 8)
    session = Session.objects.get(key="s0")
    Run.objects.filter(pk=asking.run(session).pk).update(
        created_at=datetime(2026, 3, 6, 12, tzinfo=UTC), cost=Decimal("0.25")
    )

    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        shown = page(range="7d").content.decode()
        file = page(range="7d", file="1").content.decode()

    lines = list(csv.DictReader(io.StringIO(file)))
    for name, title in CHARTS.items():
        panel = of_chart(shown, title)
        of_file = [(line["day"], Decimal(line[name])) for line in lines]
        assert [(day, Decimal(number)) for day, number in table(panel)] == of_file
        drawn = {day: Decimal(number) for day, number in columns(panel)}
        assert drawn == {day: number for day, number in of_file if number}
    assert [line["sessions"] for line in lines] == ["0", "0", "2", "0", "0", "1", "0", "0"]
    assert lines[3]["runs"] == "1"


def test_days_without_anything_are_gaps_and_nothing_is_drawn_across_them(page, new_session):
    made_on(new_session, 5, 8)

    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        panel = of_chart(page(range="7d").content.decode(), "Sessions made")

    assert columns(panel) == [("2026-03-05", "2"), ("2026-03-08", "1")]
    (svg,) = re.findall(r"<svg.*?</svg>", panel, re.DOTALL)
    assert not re.search("<(path|poly)", svg)
    # What lines there are, are level: the scale.
    assert all(
        y1 == y2 for y1, y2 in re.findall(r'<line[^>]* y1="(\d+\.?\d*)" y2="(\d+\.?\d*)"', svg)
    )


@pytest.mark.parametrize(
    ("zone", "day"),
    [("UTC", "2026-03-05"), ("Asia/Tokyo", "2026-03-06"), ("America/Los_Angeles", "2026-03-05")],
)
def test_the_zone_of_the_page_moves_the_borders_of_its_days(page, new_session, zone, day):
    made_on(new_session, 5)
    Session.objects.update(created_at=datetime(2026, 3, 5, 23, 30, tzinfo=UTC))

    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        shown = page(range="7d", zone=zone).content.decode()
        file = page(range="7d", zone=zone, file="1").content.decode()

    assert columns(of_chart(shown, "Sessions made")) == [(day, "2")]
    assert [
        line["day"] for line in csv.DictReader(io.StringIO(file)) if line["sessions"] == "2"
    ] == [day]


@pytest.mark.parametrize(("length", "days"), [("24h", 2), ("7d", 8), ("30d", 31), ("90d", 91)])
def test_a_span_is_as_long_as_it_was_asked_for(page, length, days):
    with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
        lines = page(range=length, file="1").content.decode().splitlines()

    assert len(lines) == 1 + days


def test_what_there_was_most_of_is_in_tables_of_one_kind(page, new_session):
    session = new_session("one")
    Log.objects.create(session=session, name="book", epoch="e1", head=7, recorded=True)

    shown = page().content.decode()

    assert f'href="/admin/aegis_streaming/log/{session.pk}/book/"' in shown
    assert "1 topics, 1 recorded" in shown
    assert "Sessions with the most runs" not in shown


def test_nothing_is_a_sentence_and_no_axis(page):
    shown = page().content.decode()

    assert "Runs: none in this span." in shown
    assert "There are no sessions yet." in shown
    assert '<svg class="ae-days"' not in shown


def test_a_zone_that_there_is_not_is_told(page):
    shown = page(zone="Nowhere", range="x").content.decode()

    assert "There is no such time zone. (VALIDATION_ERROR)" in shown
    assert 'value="UTC"' in shown


def test_who_may_not_read_sessions_has_no_page(client, person):
    client.force_login(person("nora"))

    assert client.get(reverse(PAGE)).status_code == 403


def test_a_day_without_a_number_has_no_column():
    chart = Chart("Runs", ["d1", "d2", "d3", "d4"], [2, None, 0, 4], is_partial=True)

    columns = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)"[^>]*?( data-partial)?>', chart.svg)

    assert columns == [("20.6", "57.0", ""), ("515.6", "6.0", " data-partial")]
    assert chart.sentence == "Runs: 6 from d1 to d4, most on d4 (4)."
