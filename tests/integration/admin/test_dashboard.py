"""The dashboard: what it asks first, of whom, and that its figures are those of the rows."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sessions.admin import dashboard, dashboard_pulse, dashboard_trouble
from sessions.admin.dashboard import Look
from sessions.core.lifecycle import State
from sessions.selectors import dashboard as reading
from sessions.services import lifecycle
from streaming.hub.paces import Pace
from streaming.models import Event
from tests import asking, factories
from tests.calling import caller
from tests.integration.admin.help import principal, text

pytestmark = pytest.mark.django_db

DECK = "/admin/"
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def browse(user):
    client = Client()
    client.force_login(user)
    return client.get(DECK)


def parts(user, *, paces=None):
    asked = principal(user)
    found = reading.running(asked)
    return dashboard.parts(asked, found, Look(paces=paces or {}))


def test_an_empty_installation_has_three_doors_and_a_reader_no_button(superuser, viewer):
    html = browse(superuser).content.decode()

    assert html.count('class="ae-door"') == 3
    assert "New session" in html
    assert "New session" not in text(parts(viewer)["deck-doors"])


def test_who_sees_no_sessions_is_told_what_would_help(person):
    page = text(browse(person("nobody")))

    assert "Nothing to see here for you" in page
    assert "aegis role give nobody viewer" in page


def test_the_address_of_the_server_leads_to_it(client):
    assert client.get("/").headers["Location"] == DECK


def test_what_waits_and_what_runs_is_shown_with_its_counts(superuser):
    made = factories.session_in(State.RUNNING, name="Desk")
    approval = asking.approval(asking.run(made))
    factories.session_in(State.PAUSED)

    shown = parts(superuser, paces={str(made.pk): Pace(12.5, [0.0, 12.5])})

    assert (shown["deck-waiting-count"], shown["deck-running-count"]) == ("1", "1")
    assert f'id="ae-waits-{approval.pk}"' in shown["deck-waiting"]
    assert "Desk" in text(shown["deck-running"])
    assert "12 rec/s" in text(shown["deck-running"])
    assert shown["deck-pulse-count"] == "12 records per second"
    assert "Pause all…" in shown["deck-running-bar"]
    assert text(shown["deck-broken"]) == "All calm."


def test_d6_numbers_are_those_of_the_interface(superuser):
    made = [factories.session_in(State.RUNNING, name=f"Desk {number}") for number in range(3)]
    asking.approval(asking.run(made[0]))
    factories.session_in(State.FAILED)
    program = caller()

    shown = parts(superuser)

    for tile, address in {
        "waiting": "approvals?state=pending",
        "running": "sessions?state=running",
        "broken": "sessions?state=failed",
    }.items():
        told = program.get(f"/api/v1/{address}").json()["data"]
        assert shown[f"deck-{tile}-count"] == str(len(told)), tile


def test_what_failed_is_broken_with_its_reason_and_calm_comes_after(superuser):
    factories.session_in(State.FAILED, name="Desk")

    shown = parts(superuser)

    assert shown["deck-broken-count"] == "1"
    assert text(shown["deck-broken"]).startswith("Failed Desk")
    assert text(shown["deck-waiting"]) == "Nothing waits for you."


def test_what_is_broken_beyond_what_is_shown_is_said_to_be_more(superuser):
    for _ in range(dashboard_trouble.MOST + 1):
        factories.session_in(State.FAILED)

    shown = parts(superuser)

    assert shown["deck-broken-count"] == "8+"
    assert shown["deck-broken"].count("Open session") == dashboard_trouble.MOST


def test_what_happened_is_the_newest_of_all_ledgers_first(superuser):
    for number in range(3):
        factories.session_in(State.RUNNING, key=f"s{number}")

    shown = text(parts(superuser)["deck-happened"])

    assert shown.index("s2") < shown.index("s1") < shown.index("s0")
    assert Event.objects.count() == len(reading.happened(principal(superuser)))


def test_of_another_team_nothing_is_seen(operator, other_team, new_session, superuser):
    for key, team in (("near", "default"), ("far", "others")):
        made = new_session(key, team=team)
        lifecycle.start(principal=principal(superuser), session=made)

    shown = " ".join(text(one) for one in parts(operator).values())

    assert "near" in shown
    assert "far" not in shown.lower()


def test_a_reader_has_no_lever_and_sees_no_decisions(viewer):
    made = factories.session_in(State.RUNNING)
    asking.approval(asking.run(made))

    shown = parts(viewer)

    assert shown["deck-running-bar"] == ""
    assert shown["deck-waiting-count"] == ""
    assert "Approvals per hour" not in text(shown["deck-pulse"])


def test_moments_are_counted_where_they_fall():
    hour = timedelta(hours=1)
    moments = [NOW - hour - timedelta(seconds=1), NOW - hour / 2, NOW, NOW]

    found = dashboard_pulse.bins(moments, now=NOW, span=hour)

    assert (len(found), sum(found), found[-1], found[29]) == (60, 3, 2, 1)


@pytest.mark.parametrize(
    ("values", "found"), [([], None), ([3.0], 3.0), ([1.0, 2.0], 2.0), ([*range(100)], 94)]
)
def test_percentile_is_a_value_that_was_there(values, found):
    assert dashboard_pulse.percentile(values, 0.95) == found


@pytest.mark.parametrize(("value", "said"), [(3, "+3"), (-2, "−2"), (0, "±0")])
def test_difference_has_its_sign(value, said):
    assert dashboard_pulse.difference(value) == said


def test_errors_beyond_what_is_looked_through_are_said_to_be_more(superuser, monkeypatch):
    factories.session_in(State.FAILED)
    now = timezone.now()

    whole = reading.pulse(principal(superuser), now=now)
    monkeypatch.setattr(reading, "WINDOW", 1)
    cut = reading.pulse(principal(superuser), now=now)

    assert (len(whole.errors), whole.has_hour) == (1, True)
    assert (len(cut.events), cut.has_hour) == (1, False)
