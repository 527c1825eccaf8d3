import pytest

from aegis_project import lists
from sessions.models import Session
from sessions.services import lifecycle
from streaming.models import AuditEntry
from tests.integration.admin.help import SESSIONS, principal, text


@pytest.fixture
def post(client, operator):
    """Post a bulk verb for some sessions as an operator."""
    client.force_login(operator)

    def send(verb: str, sessions, **more):
        chosen = [str(session.pk) for session in sessions]
        return client.post(SESSIONS, {"action": verb, "_selected_action": chosen, **more})

    return send


def states() -> dict[str, str]:
    return dict(Session.objects.values_list("key", "state"))


def test_preview_says_what_would_happen_and_changes_nothing(
    post, superuser, new_session, new_component
):
    running, created = new_session("running"), new_session("created")
    new_component(running, "feed")
    lifecycle.start(principal=principal(superuser), session=running.pk)

    page = text(post("pause", [running, created]))

    assert states() == {"running": "running", "created": "created"}
    assert "Pause 1 session?" in page
    assert "1 test" in page
    assert "Refused. Cannot pause while created." in page


def test_verb_moves_what_it_can_and_lists_what_was_refused(post, superuser, new_session):
    running, created = new_session("running"), new_session("created")
    lifecycle.start(principal=principal(superuser), session=running.pk)

    page = text(post("pause", [running, created], confirm="1"))

    assert states() == {"running": "paused", "created": "created"}
    assert "1 paused, 1 refused" in page
    assert "Cannot pause while created. INVALID_STATE" in page


def test_every_row_is_one_audited_command_of_the_person(post, operator, new_session):
    post("end", [new_session("one"), new_session("two")], confirm="1", reason="tidying up")

    told = AuditEntry.objects.filter(command="session.end").order_by("pk")
    assert [entry.principal_id for entry in told] == [principal(operator).id] * 2
    assert states() == {"one": "ended", "two": "ended"}


def test_production_asks_for_a_reason(post, new_session):
    session = new_session("live", environment="production")

    without = text(post("start", [session], confirm="1"))
    assert "A reason is required in production." in without
    assert states() == {"live": "created"}

    post("start", [session], confirm="1", reason="opening the desk")
    assert states() == {"live": "running"}


def test_sessions_of_other_teams_cannot_be_named(post, new_session, other_team):
    theirs = new_session("theirs", team="others")

    post("end", [theirs], confirm="1")

    assert states() == {"theirs": "created"}


def test_viewer_cannot_post_a_verb(client, viewer, new_session):
    session = new_session("one")
    client.force_login(viewer)

    chosen = [str(session.pk)]
    client.post(SESSIONS, {"action": "end", "_selected_action": chosen, "confirm": "1"})

    assert states() == {"one": "created"}


def test_sl4_all_that_match_are_paused_and_a_retry_touches_only_the_refused(
    client, post, operator, superuser, new_session
):
    count = lists.PER_PAGE + 3
    running = [new_session(f"alpha-{number:03}") for number in range(count)]
    created = [new_session(f"alpha-late-{number}") for number in range(2)]
    for session in running:
        lifecycle.start(principal=principal(superuser), session=session.pk)
    first = [str(running[0].pk)]
    across = {"action": "pause", "_selected_action": first, "select_across": "1"}
    everything = f"{SESSIONS}?q=alpha"

    preview = client.post(everything, across)
    chosen = {"action": "pause", "_selected_action": preview.context["selected"]}
    done = client.post(everything, chosen | {"confirm": "1"})
    for session in created:
        lifecycle.start(principal=principal(superuser), session=session.pk)
    again = {"action": "pause", "_selected_action": done.context["selected"]}
    retried = client.post(everything, again | {"confirm": "1"})

    assert f"Pause {count} sessions?" in text(preview)
    assert f"{count} paused, 2 refused" in text(done)
    assert text(done).count("Cannot pause while created.") == 2
    assert sorted(done.context["selected"]) == sorted(str(one.pk) for one in created)
    assert "2 paused, 0 refused" in text(retried)
    assert set(states().values()) == {"paused"}
    paused = AuditEntry.objects.filter(command="session.pause", outcome="ok")
    assert paused.count() == count + 2
