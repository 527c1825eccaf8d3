import re
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aegis_project import lists
from sessions.admin import views
from sessions.core import conditions, periods
from sessions.models import Session
from sessions.services import approvals, lifecycle, tags
from streaming.models import Event, Log
from tests import asking, factories
from tests.integration.admin.help import SESSIONS, principal, rows, text


def queries(client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url)
    assert answer.status_code == 200
    return [query["sql"] for query in captured.captured_queries]


def test_list_costs_the_same_queries_for_one_and_three_rows(
    client, superuser, new_session, new_component
):
    client.force_login(superuser)
    new_component(new_session("one"), "feed")
    client.get(SESSIONS)
    for_one = queries(client, SESSIONS)
    for key in ("two", "three"):
        new_component(new_session(key), "feed")

    for_three = queries(client, SESSIONS)

    assert len(for_three) == len(for_one)


def test_list_is_never_counted_without_a_filter(client, superuser, new_session, monkeypatch):
    monkeypatch.setattr(lists, "PER_PAGE", 50)
    client.force_login(superuser)
    new_session("one")

    asked = queries(client, SESSIONS) + queries(client, f"{SESSIONS}?view=closed&p=1&o=2")

    assert [sql for sql in asked if "COUNT(" in sql and "aegis_sessions_session" in sql] == []


def test_list_that_was_narrowed_says_how_many_match(client, superuser, new_session):
    client.force_login(superuser)
    for key in ("alpha-1", "alpha-2", "beta-1"):
        new_session(key)

    answer = client.get(f"{SESSIONS}?q=alpha")

    assert sorted(rows(answer)) == ["alpha-1", "alpha-2"]
    assert "2 matches" not in text(answer)
    assert "2 match" in text(answer)


def test_pages_follow_each_other_without_a_count(client, superuser, new_session):
    client.force_login(superuser)
    for number in range(lists.PER_PAGE + 1):
        new_session(f"key-{number:02}")

    first, second = client.get(SESSIONS), client.get(f"{SESSIONS}?p=2")

    assert (len(rows(first)), len(rows(second))) == (lists.PER_PAGE, 1)
    assert ("Page 1 Next" in text(first) or "Next Page 1" in text(first)) is True
    assert "Page 2, the last" in text(second)


def test_page_beyond_the_last_leads_back(client, superuser, new_session):
    client.force_login(superuser)
    new_session("one")

    answer = client.get(f"{SESSIONS}?p=7")

    assert (answer.status_code, answer["Location"]) == (302, f"{SESSIONS}?e=1")


def test_only_sessions_of_the_persons_teams_are_listed(client, viewer, new_session, other_team):
    new_session("ours")
    new_session("theirs", team="others")
    client.force_login(viewer)

    assert rows(client.get(SESSIONS)) == ["ours"]


def test_closed_and_deleted_sessions_leave_the_open_view(client, superuser, new_session):
    client.force_login(superuser)
    ended, deleted, _ = new_session("ended"), new_session("deleted"), new_session("open")
    lifecycle.end(principal=principal(superuser), session=ended.pk)
    lifecycle.delete(principal=principal(superuser), session=deleted.pk)

    assert rows(client.get(SESSIONS)) == ["open"]
    assert rows(client.get(f"{SESSIONS}?view=closed")) == ["ended"]
    assert rows(client.get(f"{SESSIONS}?state__exact=ended")) == ["ended"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("view=mine", ["mine"]),
        ("view=broken", ["lost"]),
        ("view=production", ["live"]),
        ("condition=degraded", ["lost"]),
        ("condition=starting", ["starting"]),
        ("condition=replaying", ["replay"]),
        ("condition=starting,replaying", ["replay", "starting"]),
        ("condition=unheard-of", []),
        ("state=running&environment=production", ["live"]),
        ("state=running,created&mode=historical", ["replay"]),
        ("view=waiting", []),
        ("condition=stale", []),
        ("q=risk-meter", ["lost"]),
    ],
)
def test_views_and_conditions_narrow_the_list(
    client, superuser, operator, new_session, new_component, query, found
):
    now = timezone.now()
    Session.objects.filter(pk=new_session("mine").pk).update(owner=operator)
    lost = new_session("lost")
    new_component(lost, "risk-meter", state="lost", lost_at=now)
    Session.objects.filter(pk=lost.pk).update(state="running")
    Session.objects.filter(pk=new_session("live", environment="production").pk).update(
        state="running"
    )
    Session.objects.filter(pk=new_session("starting").pk).update(start_requested_at=now)
    Session.objects.filter(pk=new_session("replay").pk).update(state="running", mode="historical")
    client.force_login(operator)

    assert rows(client.get(f"{SESSIONS}?{query}")) == found


def tabs(answer) -> dict[str, str]:
    """What stands on the tabs that count."""
    return dict(re.findall(r'data-counts="(\w+)"[^>]*>([^<]*)<', answer.content.decode()))


def test_tabs_count_what_whoever_looks_would_see_there(
    client, operator, new_session, new_component, other_team
):
    mine, live, lost = new_session("mine"), new_session("live"), new_session("lost")
    Session.objects.filter(pk=mine.pk).update(owner=operator)
    Session.objects.filter(pk=live.pk).update(state="running", environment="production")
    new_component(lost, "feed", state="lost", lost_at=timezone.now())
    theirs = new_session("theirs", team="others")
    Session.objects.filter(pk=theirs.pk).update(state="failed")
    client.force_login(operator)

    answer = client.get(SESSIONS)

    assert tabs(answer) == {"mine": "1", "waiting": "", "broken": "1", "production": "1"}


def test_tabs_count_no_further_than_they_say(client, superuser, new_session, monkeypatch):
    monkeypatch.setattr(views, "MOST_COUNTED", 2)
    for key in ("one", "two", "three"):
        new_session(key)
    client.force_login(superuser)

    assert tabs(client.get(SESSIONS))["mine"] == "2+"


def test_closed_today_begins_at_midnight_in_utc(client, superuser, new_session):
    for key in ("today", "before"):
        row = new_session(key)
        lifecycle.end(principal=principal(superuser), session=row.pk)
    before = periods.midnight(timezone.now()) - timedelta(seconds=1)
    Session.objects.filter(key="before").update(state_changed_at=before)
    client.force_login(superuser)

    assert rows(client.get(f"{SESSIONS}?view=closed")) == ["today"]
    assert rows(client.get(f"{SESSIONS}?state=completed,ended")) == ["before", "today"]


def test_search_finds_sessions_by_their_tags_and_topics(client, superuser, viewer, new_session):
    tagged, spoken, other = (new_session(key) for key in ("one", "two", "three"))
    tags.put(principal=principal(superuser), session=tagged, names=["incident"])
    Log.objects.create(session=spoken, name="klines.BTCUSDT.1m", epoch="a" * 16, ck="0" * 16)
    client.force_login(superuser)

    assert rows(client.get(f"{SESSIONS}?q=incid")) == [tagged.key]
    assert rows(client.get(f"{SESSIONS}?q=btcusdt")) == [spoken.key]
    # Every session has one, so that it tells none.
    assert rows(client.get(f"{SESSIONS}?q=ledger")) == []
    assert other.key not in rows(client.get(f"{SESSIONS}?q=klines"))
    client.force_login(viewer)
    assert rows(client.get(f"{SESSIONS}?q=btcusdt")) == []


def test_search_finds_a_session_by_the_first_digits_of_its_id(client, superuser, new_session):
    session, _ = new_session("wanted"), new_session("other")
    client.force_login(superuser)

    assert rows(client.get(f"{SESSIONS}?q={str(session.pk)[:8]}")) == ["wanted"]


def test_row_says_state_conditions_and_what_is_odd(client, superuser, new_session, new_component):
    session = new_session("dip", name="Flash dip")
    new_component(session, "sim-exchange", required=True)
    new_component(session, "risk-meter", state="lost", lost_at=timezone.now())
    Session.objects.filter(pk=session.pk).update(state="running")
    client.force_login(superuser)

    page = text(client.get(SESSIONS))

    assert "Flash dip dip risk-meter lost Running 0 s Degraded stream test 1/2" in page


def as_a_later_aegis_has_it(session: Session) -> None:
    """Give a session a state that only the constraint of a later Aegis lets by."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            # What waits for the end of the transaction would keep the table as it is.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(
                "ALTER TABLE aegis_sessions_session DROP CONSTRAINT session_state_is_known"
            )
        Session.objects.filter(pk=session.pk).update(state="hibernating")
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def test_sl2_session_with_a_state_of_the_future_is_listed_with_its_word(
    client, superuser, new_session
):
    session = new_session("later")
    as_a_later_aegis_has_it(session)
    client.force_login(superuser)

    listed = client.get(SESSIONS)
    page = client.get(f"{SESSIONS}{session.pk}/change/")

    assert rows(listed) == ["later"]
    assert 'data-word="hibernating"' in listed.content.decode()
    assert page.status_code == 200
    assert 'data-word="hibernating"' in page.content.decode()


def test_sl2_session_with_an_unknown_condition_is_listed_with_its_word(
    client, superuser, new_session, monkeypatch
):
    new_session("later")
    monkeypatch.setattr(conditions, "derive", lambda *_args, **_more: ["dreaming"])
    client.force_login(superuser)

    listed = client.get(SESSIONS)

    assert rows(listed) == ["later"]
    assert 'data-word="dreaming"' in listed.content.decode()


def test_empty_list_says_what_to_do_next(client, superuser):
    client.force_login(superuser)

    page = text(client.get(SESSIONS))

    assert "No session here yet" in page
    assert "./aegis session create" in page


def test_list_where_nothing_matches_offers_to_drop_the_filters(client, superuser):
    client.force_login(superuser)

    assert "No session matches" in text(client.get(f"{SESSIONS}?q=nothing"))


def test_somebody_without_permission_sees_no_list(client, person):
    client.force_login(person("nina"))

    assert client.get(SESSIONS).status_code == 403


def test_two_of_the_list_are_put_side_by_side_and_no_other_number(client, superuser, new_session):
    client.force_login(superuser)
    made = [new_session(key) for key in ("one", "two", "three")]
    wanted = {"action": "compare", "_selected_action": [one.pk for one in made[:2]]}

    two = client.post(SESSIONS, wanted)
    three = client.post(
        SESSIONS, {**wanted, "_selected_action": [one.pk for one in made]}, follow=True
    )

    assert two["Location"] == f"{SESSIONS}{made[1].pk}/compare/?with={made[0].pk}"
    assert "Two sessions are compared: select two." in text(three)


def test_who_may_compare_and_not_steer_is_offered_that_alone(client, person, new_session):
    new_session("one")
    reads = ("session", "message", "run")
    client.force_login(person("ruth", *(f"aegis_sessions.view_{one}" for one in reads)))

    page = client.get(SESSIONS).content.decode()

    assert ('value="compare"' in page, 'value="pause"' in page) == (True, False)


def test_viewer_sees_neither_verbs_nor_new_session(client, viewer, new_session):
    new_session("one")
    client.force_login(viewer)

    page = client.get(SESSIONS).content.decode()

    assert 'name="action"' not in page
    assert "New session" not in page


def test_an_order_in_an_address_means_the_same_columns_to_everybody(
    client, superuser, viewer, new_session
):
    for key in ("b", "c", "a"):
        new_session(key, name=key)

    for person in (superuser, viewer):
        client.force_login(person)
        page = client.get(f"{SESSIONS}?o=1")
        assert rows(page) == ["a", "b", "c"]
        assert "o=-1" in page.content.decode()
        assert rows(client.get(f"{SESSIONS}?o=0.x.-1")) == ["c", "b", "a"]


def cells(answer, key: str) -> list[str]:
    """What stands in the columns that count, of one row."""
    html = answer.content.decode()
    row = next(one for one in html.split('class="data-row')[1:] if f'ae-key">{key}' in one)
    found = (row.partition(f"field-{name}_cell")[2] for name in ("waiting", "errors"))
    return [text(one.partition(">")[2].partition("</td>")[0]) for one in found]


def test_rows_count_decisions_that_wait_and_errors_of_a_day(client, superuser, viewer):
    asked = factories.session(key="asked")
    factories.session(key="calm")
    asking.approval(asking.run(asked))
    decided = asking.approval(asking.run(asked))
    approvals.decide(principal=factories.OPERATOR, approval=decided, approved=False)
    told_at = factories.ledger(asked)[-1].ts
    for seq, ago, type_ in ((901, 0, "component.lost"), (902, 25, "component.lost"), (903, 1, "x")):
        Event.objects.create(
            log=Log.objects.ledger_of(asked.pk).get(),
            seq=seq,
            ts=told_at - timedelta(hours=ago),
            type=type_,
            body="{}",
        )
    client.force_login(superuser)

    listed = client.get(SESSIONS)

    assert (cells(listed, "asked"), cells(listed, "calm")) == (
        ["1 to decide", "1 error"],
        ["–", "–"],
    )
    client.force_login(viewer)
    assert cells(client.get(SESSIONS), "asked") == ["–", "1 error"], "they may read no approvals"


def test_errors_of_a_day_are_found_by_their_own_index(new_session):
    log = Log.objects.ledger_of(new_session("one").pk).get()
    found = Event.objects.errors().filter(log=log, ts__gte=timezone.now())
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        plan = found.explain()

    assert "event_error_of_log" in plan


def test_facets_are_ticked_and_counted_when_somebody_asks(client, superuser, new_session):
    new_session("one")
    Session.objects.filter(pk=new_session("two").pk).update(state="running")
    client.force_login(superuser)

    ticked = client.get(f"{SESSIONS}?state=running,hibernating").content.decode()
    counted = text(client.get(f"{SESSIONS}?state=running&_facets=True"))

    assert 'href="?state=running%2Chibernating%2Cpaused"' in ticked
    assert 'href="?state=hibernating"' in ticked, "a second press takes the tick away"
    assert "created 1 running 1 paused 0" in counted
    assert "created running paused" in text(client.get(SESSIONS))
