import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from components.admin import snippets
from components.core import beats
from components.core.beats import Sign
from components.models import Credential
from tests.integration.admin.help import COMPONENTS, address, text


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


def test_list_counts_who_is_gone_and_says_how_each_speaks(
    client, operator, new_session, new_component
):
    session = new_session("one")
    client.force_login(operator)
    new_component(session, "went", state="stopped")
    spoke = {"proto": {"v": 1, "batch": True, "window": 8}, "version": "2.1"}
    now = timezone.now()
    new_component(session, "runs", state="running", registered_at=now, **spoke)
    new_component(session, "old", state="running", registered_at=now)

    shown = text(client.get(COMPONENTS))

    assert "1 gone , stopped or failed, not shown here." in shown
    assert "2.1, batches, window 8" in shown
    assert re.search(r"0 s plain", shown)
    assert " gone , stopped" not in text(client.get(f"{COMPONENTS}?view=all"))


def test_page_of_who_never_came_has_programs_that_connect_it(
    client, operator, viewer, new_session, new_component
):
    row = new_component(new_session("one"), 'pri"ces', state="pending", role="feed")
    client.force_login(operator)

    page = client.get(f"{COMPONENTS}{row.pk}/change/")
    shown = page.content.decode()

    assert "Waiting for connection." in text(page)
    assert re.findall(r'id="ae-connect-(sdk|socket|node)"', shown) == ["sdk", "socket", "node"]
    assert "export AEGIS_URL=http://testserver" in shown
    for program in snippets.of(row)[:2]:
        compile(program.text, program.key, "exec")
    assert r'Component("pri\"ces", role="feed")' in snippets.of(row)[0].text
    assert r'name: "pri\"ces"' in snippets.of(row)[2].text
    client.force_login(viewer)
    assert "Make a token for it" not in text(client.get(f"{COMPONENTS}{row.pk}/change/"))


def test_token_of_a_component_opens_nothing_for_others(
    client, operator, new_session, new_component
):
    row = new_component(new_session("one"), "prices", state="pending")
    client.force_login(operator)

    made = client.post(f"{address(row.session, 'token')}?component={row.pk}")
    client.post(f"{address(row.session, 'token')}?component=nobody")

    [kept] = Credential.objects.filter(session=row.session)
    assert made.status_code == 200
    assert kept.component_id == row.pk


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


def test_co5_heartbeat_is_drawn_said_and_tabled_with_the_same_figures(
    client, operator, new_session, new_component
):
    now = timezone.now()
    kept = ""
    for sign, ago in (("c", 33.1), ("h", 28.1), ("l", 21.9), ("h", 20), ("x", 16), ("c", 5)):
        kept = beats.add(kept, Sign(sign), now - timedelta(seconds=ago))
    row = new_component(new_session("one"), "feed", state="registered", beats=kept)
    client.force_login(operator)

    page = client.get(f"{COMPONENTS}{row.pk}/change/")

    html = page.content.decode()
    assert {name: len(d.split("z")) - 1 for name, d in bars(html)} == {
        "connected": 2,
        "heard": 2,
        "late": 1,
        "lost": 1,
    }
    said = "Last 6 marks: 2 connected, 2 heard, 1 late, 1 lost; at most 11.0 s between two."
    assert f'aria-label="{said}"' in html
    assert text(page).count(said) == 1
    (table,) = re.findall(r"<tbody>.*?</tbody>", html, flags=re.DOTALL)
    assert re.findall(r"(\w+) ([\d.]+ s|–)", text(table)) == [
        ("connected", "11.0 s"),
        ("lost", "4.0 s"),
        ("heard", "1.9 s"),
        ("late", "6.2 s"),
        ("heard", "5.0 s"),
        ("connected", "–"),
    ]


def test_co5_a_gap_of_the_heartbeat_is_no_beat_like_others(
    client, operator, new_session, new_component
):
    now = timezone.now()
    kept = beats.add("", Sign.HEARD, now - timedelta(seconds=30))
    row = new_component(new_session("one"), "feed", beats=beats.add(kept, Sign.HEARD, now))
    client.force_login(operator)

    page = client.get(f"{COMPONENTS}{row.pk}/change/")

    assert [name for name, _ in bars(page.content.decode())] == ["heard", "gap"]
    assert "1 heard, 1 heard after a gap; at most 30.0 s between two" in text(page)


def test_co5_who_never_came_has_a_sentence_in_the_place_of_the_strip(
    client, operator, new_session, new_component
):
    row = new_component(new_session("one"), "feed", state="pending")
    client.force_login(operator)

    page = client.get(f"{COMPONENTS}{row.pk}/change/")

    assert "It never connected, so there is no beat yet." in text(page)
    assert bars(page.content.decode()) == []


def bars(html: str) -> list[tuple[str, str]]:
    """What is drawn of the heartbeat: the word, and its path."""
    return re.findall(r'<path data-word="(\w+)" d="([^"]+)"', html)
