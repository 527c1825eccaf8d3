"""The page Statistics."""

import re

import pytest
import time_machine
from django.urls import reverse

from sessions.admin.columns import Chart
from sessions.admin.statistics import NAME
from streaming.models import Log

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


def test_each_chart_has_its_table_and_the_file_has_the_same(page, new_session):
    new_session("one")

    shown = page(range="24h").content.decode()
    lines = page(range="24h", file="1").content.decode().splitlines()

    days = [line.split(",")[0] for line in lines[1:]]
    assert shown.count("As a table") == 7
    assert [shown.count(f"<td>{day}</td>") for day in days] == [7] * len(days)


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
