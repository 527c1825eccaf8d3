import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.integration.admin.help import COMPONENTS, text


def names(answer) -> list[str]:
    return re.findall(r'class="ae-name">([^<]+)<', answer.content.decode())


def test_list_shows_who_is_present_and_folds_who_is_gone(
    client, operator, new_session, new_component
):
    session = new_session("one")
    for name, state in (("runs", "running"), ("waits", "pending"), ("went", "stopped")):
        new_component(session, name, state=state)
    client.force_login(operator)

    assert sorted(names(client.get(COMPONENTS))) == ["runs", "waits"]
    assert names(client.get(f"{COMPONENTS}?view=gone")) == ["went"]
    assert names(client.get(f"{COMPONENTS}?view=connected")) == ["runs"]
    assert len(names(client.get(f"{COMPONENTS}?view=all"))) == 3


def test_list_costs_the_same_queries_for_one_and_three_rows(
    client, operator, new_session, new_component
):
    session = new_session("one")
    client.force_login(operator)
    new_component(session, "a")
    client.get(COMPONENTS)
    with CaptureQueriesContext(connection) as for_one:
        client.get(COMPONENTS)
    for name in ("b", "c"):
        new_component(new_session(name), name)

    with CaptureQueriesContext(connection) as for_three:
        client.get(COMPONENTS)

    assert len(for_three) == len(for_one)


def test_components_of_other_teams_are_not_listed(
    client, operator, new_session, new_component, other_team
):
    new_component(new_session("theirs", team="others"), "hidden")
    client.force_login(operator)

    assert names(client.get(COMPONENTS)) == []


def test_component_that_missed_a_beat_reads_late(client, operator, new_session, new_component):
    new_component(new_session("one"), "slow", state="running", is_late=True)
    client.force_login(operator)

    assert 'data-word="late"' in client.get(COMPONENTS).content.decode()


def test_page_of_a_component_shows_its_steps_and_changes_nothing(
    client, operator, new_session, new_component
):
    row = new_component(
        new_session("one"), "half", state="registered", registered_at=timezone.now()
    )
    client.force_login(operator)

    page = client.get(f"{COMPONENTS}{row.pk}/change/")

    assert re.search(
        r"Connected \d\d:\d\d:\d\d Acknowledged \d\d:\d\d:\d\d Identified –", text(page)
    )
    assert "waits for its data socket" in text(page)
    assert 'name="_save"' not in page.content.decode()


@pytest.mark.parametrize(("state", "says"), [("lost", "silent for 15 s"), ("stopped", "released")])
def test_ladder_of_who_is_gone_has_no_step_left(
    client, operator, new_session, new_component, state, says
):
    row = new_component(
        new_session("one"),
        "gone",
        state=state,
        registered_at=timezone.now(),
        error="silent for 15 s" if state == "lost" else "",
    )
    client.force_login(operator)

    page = text(client.get(f"{COMPONENTS}{row.pk}/change/"))

    assert "Connected – Acknowledged –" in page
    assert says in page
