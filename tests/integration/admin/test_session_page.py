import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from aegis_project.kit.principal import system
from sessions.admin import lever
from sessions.core.lifecycle import Kind, State
from sessions.models import Session
from sessions.services import conversation, lifecycle
from sessions.services.conversation import Utterance
from streaming.models import Event, Lease, Log
from streaming.services import ledger
from tests import factories, tables
from tests.integration.admin.help import address, principal, text

VERBS = ["start", "pause", "stop", "complete", "end"]


def enabled(answer) -> list[str]:
    """The verbs of the lever on a page that are not refused."""
    buttons = re.findall(r'<button[^>]*data-verb="(\w+)"[^>]*>', answer.content.decode())
    refused = re.findall(
        r'<button[^>]*data-verb="(\w+)"[^>]*aria-disabled="true"', answer.content.decode()
    )
    assert buttons == VERBS
    return [verb for verb in buttons if verb not in refused]


@pytest.mark.parametrize("state", list(State))
def test_lever_enables_exactly_what_the_table_allows(client, superuser, new_session, state):
    session = new_session("one")
    Session.objects.filter(pk=session.pk).update(state=state.value)
    client.force_login(superuser)

    shown = enabled(client.get(address(session)))

    assert shown == [verb for verb in VERBS if verb in tables.allowed(state)]


def test_refused_verb_says_why_in_the_words_of_the_api(client, superuser, new_session):
    session = new_session("one")
    client.force_login(superuser)

    page = client.get(address(session)).content.decode()

    assert '<span hidden id="ae-why-pause">Cannot pause while created.</span>' in page


def test_verb_that_changes_nothing_is_enabled_and_says_so(superuser, new_session):
    session = new_session("one")
    lifecycle.start(principal=principal(superuser), session=session.pk)
    session.refresh_from_db()

    start = lever.verbs(session)[0]

    assert (start.is_allowed, start.is_noop, start.why) == (True, True, "Already running.")


def test_pulling_a_verb_answers_a_script_with_the_outcome(client, operator, new_session):
    session = new_session("one")
    client.force_login(operator)

    answer = client.post(
        address(session, "lever"), {"verb": "start"}, headers={"Accept": "application/json"}
    )

    assert answer.json() == {"state": "running", "previous": "created", "is_pending": False}


def test_refused_verb_answers_a_script_with_the_error(client, operator, new_session):
    session = new_session("one")
    client.force_login(operator)

    answer = client.post(
        address(session, "lever"), {"verb": "pause"}, headers={"Accept": "application/json"}
    )

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "INVALID_STATE")
    assert error["details"]["allowed"] == tables.allowed(State.CREATED)


def test_refused_verb_takes_a_plain_form_back_to_the_page(client, operator, new_session):
    session = new_session("one")
    client.force_login(operator)

    answer = client.post(address(session, "lever"), {"verb": "pause"}, follow=True)

    assert answer.redirect_chain == [(address(session), 302)]
    assert "Cannot pause while created. (INVALID_STATE)" in text(answer)


def test_production_needs_a_reason(client, operator, new_session):
    session = new_session("live", environment="production")
    client.force_login(operator)
    accept = {"Accept": "application/json"}

    refused = client.post(address(session, "lever"), {"verb": "start"}, headers=accept)
    given = {"verb": "start", "reason": "opening the desk"}
    done = client.post(address(session, "lever"), given, headers=accept)

    assert refused.json()["error"]["code"] == "VALIDATION_ERROR"
    assert done.json()["state"] == "running"


def test_viewer_sees_no_lever_and_cannot_pull_it(client, viewer, new_session):
    session = new_session("one")
    client.force_login(viewer)

    page = client.get(address(session)).content.decode()
    answer = client.post(
        address(session, "lever"), {"verb": "start"}, headers={"Accept": "application/json"}
    )

    assert "data-verb" not in page
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "PERMISSION_DENIED")
    assert Session.objects.get().state == "created"


@pytest.mark.parametrize("name", ["change", "events"])
def test_session_of_another_team_is_not_found(client, viewer, new_session, other_team, name):
    client.force_login(viewer)

    assert client.get(address(new_session("theirs", team="others"), name)).status_code == 404


def test_address_that_is_no_id_or_key_is_not_found(client, viewer, team):
    client.force_login(viewer)

    assert client.get("/admin/aegis_sessions/session/nothing/change/").status_code == 404


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("timeline", "Session created"),
        ("participants", "sim-exchange"),
        ("topics", "Waiting for the hub"),
        ("config", "BTCUSDT"),
        ("nonsense", "Session created"),
    ],
)
def test_each_tab_has_its_address(client, superuser, new_session, new_component, tab, words):
    session = new_session("one", context={"symbol": "BTCUSDT"})
    new_component(session, "sim-exchange")
    client.force_login(superuser)

    assert words in text(client.get(f"{address(session)}?tab={tab}"))


def test_strip_tells_who_a_start_waits_for(client, superuser, new_session, new_component):
    session = new_session("one")
    new_component(session, "sol-feed", state="ready", required=True)
    new_component(session, "sol-sink", state="registered", required=True)
    lifecycle.start(principal=principal(superuser), session=session.pk)
    client.force_login(superuser)

    page = text(client.get(address(session)))

    assert re.search(r"Starting\. Waits for sol-sink\. It fails in \d+ s", page)
    assert "Starting 1/2" in page


def test_strip_tells_why_a_session_failed(client, superuser, new_session):
    session = new_session("one")
    error = {"code": "BOOK_FROZEN", "message": "The book froze."}
    lifecycle.fail(principal=principal(superuser), session=session.pk, error=error)
    client.force_login(superuser)

    assert re.search(
        r"Failed at \d\d:\d\d:\d\d \. The book froze\. BOOK_FROZEN",
        text(client.get(address(session))),
    )


def test_strip_tells_who_is_lost_and_until_when(client, superuser, new_session, new_component):
    session = new_session("one")
    lifecycle.start(principal=principal(superuser), session=session.pk)
    lost_at = timezone.now() - timedelta(seconds=5)
    new_component(session, "risk-meter", state="lost", lost_at=lost_at)
    new_component(session, "pnl-sink", state="failed")
    client.force_login(superuser)

    page = text(client.get(address(session)))

    assert re.search(r"risk-meter lost \(optional, grace ends in 2\d s \)\.", page)
    assert "+1 more" in page


def test_participants_tell_how_far_each_handshake_came(
    client, superuser, new_session, new_component
):
    session, now = new_session("one"), timezone.now()
    new_component(session, "waiting", state="pending", topics=["book"])
    new_component(session, "half", state="registered", topics=["book"], registered_at=now)
    new_component(
        session,
        "feed",
        state="running",
        registered_at=now,
        identified_at=now,
        ready_at=now,
        running_at=now,
        is_data_connected=True,
    )
    new_component(
        session,
        "whole",
        state="running",
        registered_at=now,
        identified_at=now,
        topics=["book"],
        ready_at=now,
        running_at=now,
        is_data_connected=True,
    )
    client.force_login(superuser)

    page = client.get(f"{address(session)}?tab=participants").content.decode()

    assert re.findall(r'role="img"\s+aria-label="([^"]+)"', page) == [
        "0 of 6 steps: none",
        "2 of 6 steps: Connected, Acknowledged",
        "5 of 5 steps: Connected, Acknowledged, Identified, READY, Streaming",
        "6 of 6 steps: Connected, Acknowledged, Identified, Subscribed, READY, Streaming",
    ]
    assert "waits for its data socket" in page


def test_session_without_participants_offers_a_token(client, superuser, new_session):
    client.force_login(superuser)

    page = text(client.get(f"{address(new_session('one'))}?tab=participants"))

    assert "Nobody is attached" in page
    assert "Make a session token" in page


def test_token_is_shown_once_with_the_lines_that_use_it(client, operator, new_session):
    session = new_session("one")
    client.force_login(operator)

    answer = client.post(address(session, "token"))
    page = client.get(f"{address(session)}?tab=participants").content.decode()

    secret = re.search(r"AEGIS_SESSION_TOKEN=(aeg_\w+[\w-]*)", answer.content.decode())
    assert secret is not None
    assert "no-store" in answer["Cache-Control"]
    assert "ws://testserver/ws/control" in answer.content.decode()
    assert secret[1] not in page


def test_token_of_a_closed_session_is_refused_with_the_reason(client, superuser, new_session):
    session = new_session("one")
    lifecycle.end(principal=principal(superuser), session=session.pk)
    client.force_login(superuser)

    answer = client.post(address(session, "token"))

    assert answer.status_code == 400
    assert "Cannot issue a token while ended. INVALID_STATE" in text(answer)


# The timeline


def seqs(html: str) -> list[int]:
    return [int(seq) for seq in re.findall(r'data-seq="(\d+)"', html)]


@pytest.fixture
def long_ledger(new_session):
    """A session with 250 events, every tenth of them an error."""
    session = new_session("long")
    for number in range(2, 251):
        event = "error.occurred" if number % 10 == 0 else "weather.changed"
        ledger.append(session_id=session.pk, type=event, actor="system:test", message="x")
    return session


def test_timeline_begins_with_the_newest_events(client, superuser, long_ledger):
    client.force_login(superuser)

    page = client.get(address(long_ledger)).content.decode()

    assert seqs(page) == list(range(250, 150, -1))


def test_older_events_are_paged_by_position(client, superuser, long_ledger):
    client.force_login(superuser)
    url = address(long_ledger, "events")

    second, last = client.get(f"{url}?before=151"), client.get(f"{url}?before=51")

    assert seqs(second.content.decode()) == list(range(150, 50, -1))
    assert second["X-Oldest"] == "51"
    assert seqs(last.content.decode()) == list(range(50, 0, -1))
    assert last["X-Oldest"] == ""


def test_link_to_an_old_event_opens_where_it_stands(client, superuser, long_ledger):
    client.force_login(superuser)

    page = client.get(f"{address(long_ledger)}?at=30").content.decode()

    assert 30 in seqs(page)
    assert "Go to now" in page


@pytest.mark.parametrize(
    ("may", "veil", "tabs"),
    [
        (["aegis_streaming.view_log"], [], ["topics"]),
        ([], [("2 topics", "you may not read topics")], []),
    ],
)
def test_sp10_topics_beside_a_position_are_veiled_for_who_may_not_read_them(
    client, person, superuser, new_session, may, veil, tabs
):
    session = new_session("one")
    for name in ("book", "hush"):
        Log.objects.create(session=session, name=name, epoch="e1")
    lifecycle.end(principal=principal(superuser), session=session)
    client.force_login(person("rita", "aegis_sessions.view_session", *may))

    page = client.get(f"{address(session)}?at=2").content.decode()
    event = client.get(address(session, "event", 2))

    strips = json.loads(re.findall(r'id="ae-lane-strips"[^>]*>(.*?)<', page)[0])
    assert [(one["name"], one["veil"]) for one in strips] == veil
    assert [tab for tab in re.findall(r'href="\?tab=(\w+)"', page) if tab == "topics"] == tabs
    assert ('id="ae-veil"' in page) == bool(veil)
    assert 'data-seq="2"' in page
    assert "hush" not in page
    assert event.status_code == 200


@pytest.mark.parametrize(
    ("tab", "permission"),
    [
        ("conversation", "aegis_sessions.view_message"),
        ("artifacts", "aegis_sessions.view_message"),
        ("calls", "aegis_sessions.view_run"),
        ("topics", "aegis_streaming.view_log"),
        ("audit", "aegis_streaming.view_auditentry"),
    ],
)
def test_a_tab_is_there_for_who_may_read_what_is_in_it(
    client, person, viewer, new_session, tab, permission
):
    session = new_session("one")
    client.force_login(person("rita", "aegis_sessions.view_session", permission))
    assert opened(client.get(f"{address(session)}?tab={tab}")) == tab

    client.force_login(viewer)
    refused = client.get(f"{address(session)}?tab={tab}")

    assert opened(refused) == "timeline"
    assert f"?tab={tab}" not in refused.content.decode()


def opened(answer) -> str:
    (tab,) = re.findall(r'data-tab="(\w+)"', answer.content.decode())
    return str(tab)


def test_quick_filter_shows_errors_only(client, superuser, long_ledger):
    client.force_login(superuser)

    page = client.get(f"{address(long_ledger)}?show=errors").content.decode()

    assert seqs(page) == list(range(250, 0, -10))


@pytest.mark.parametrize(
    ("show", "kinds"),
    [
        ("agents", ["run.queued", "message.created"]),
        ("data", ["component.lost", "heartbeat.late"]),
        ("people", ["message.created", "session.created"]),
    ],
)
def test_quick_filter_shows_what_agents_do_what_becomes_of_data_or_what_people_did(
    client, superuser, new_session, show, kinds
):
    session = new_session("one")
    for event, actor in [
        ("message.created", "user:ana"),
        ("message.created", "agent:one"),
        ("heartbeat.late", "system:clock"),
        ("component.lost", "system:clock"),
        ("run.queued", "system:runs"),
    ]:
        ledger.append(session_id=session.pk, type=event, actor=actor)
    client.force_login(superuser)

    page = client.get(f"{address(session)}?show={show}&view=list").content.decode()

    stood = dict(Event.objects.filter(log__session=session).values_list("seq", "type"))
    assert [stood[seq] for seq in seqs(page)] == kinds


def test_unknown_event_is_shown_raw(client, superuser, new_session):
    session = new_session("one")
    ledger.append(session_id=session.pk, type="weather.changed", actor="system:sky", degrees=12)
    client.force_login(superuser)

    page = client.get(address(session)).content.decode()

    assert "#unknown" in page
    assert 'weather.changed {"degrees": 12} sky 2' in text(page).replace("&quot;", '"')


def test_drawer_holds_the_whole_event(client, superuser, new_session):
    session = new_session("one")
    ledger.append(session_id=session.pk, type="weather.changed", actor="system:sky", degrees=12)
    client.force_login(superuser)

    drawer = client.get(address(session, "event", 2))

    shown = re.search(r'id="ae-event-data">(.*?)</pre>', drawer.content.decode(), re.DOTALL)
    assert shown is not None
    assert json.loads(shown[1].replace("&quot;", '"')) == {"degrees": 12}


def test_event_that_is_not_there_is_refused(client, superuser, new_session):
    client.force_login(superuser)

    answer = client.get(address(new_session("one"), "event", 99))

    assert answer.status_code == 404
    assert "There is no event at this position." in text(answer)


def test_markup_in_a_name_stays_text(client, superuser, new_session):
    session = new_session("one", name="<script>alert(1)</script>")
    client.force_login(superuser)

    assert "<script>alert" not in client.get(address(session)).content.decode()


def test_component_whose_server_is_gone_reads_lost_everywhere(
    client, superuser, new_session, new_component
):
    session, now = new_session("one"), timezone.now()
    lifecycle.start(principal=principal(superuser), session=session.pk)
    dead = Lease.objects.create(expires_at=now - timedelta(seconds=9))
    new_component(session, "orphan", state="running", lease=dead, registered_at=now)
    client.force_login(superuser)

    page = client.get(f"{address(session)}?tab=participants").content.decode()

    assert re.search(r"orphan lost \(optional, grace ends in \d+ s \)\.", text(page))
    assert "its server is gone" in page
    assert re.findall(r'data-word="(\w+)"', page) == ["running", "degraded", "lost"]


def test_what_a_trigger_passed_on_is_shown_as_a_record_without_its_id(client, superuser):
    client.force_login(superuser)
    session = factories.session(kind=Kind.CHAT)
    by = system("trigger:4877230a-874e-4f31-b9dd-ebaed23e3058")
    conversation.say(principal=by, session=session.pk, draft=Utterance('ticks: {"bid":1}'))

    page = client.get(f"{address(session)}?tab=conversation").content.decode()

    assert "<b>Trigger</b>" in page
    assert "data-record" in page
