"""Checkpoints on the page of a session, and the page of each."""

import pytest

from sessions.models import Checkpoint, Session
from sessions.services import checkpoints, lifecycle, memory
from tests import factories
from tests.integration.admin.help import address, text


@pytest.fixture
def session(client, superuser, new_session, asking):
    """A session that remembers 1 at its checkpoint and 2 now, and somebody who may all of it."""
    client.force_login(superuser)
    made = new_session("desk", memory={"n": 1})
    checkpoints.create(principal=asking, session=made, label="kept")
    memory.remember(principal=asking, session=made, key="n", value=2)
    return made


@pytest.fixture
def kept(session):
    return Checkpoint.objects.get()


def test_the_tab_lists_what_a_session_can_come_back_to(client, session, kept):
    page = client.get(address(session), {"tab": "checkpoints"})

    assert f"kept manual, by root Created {kept.seq} 0 – {kept.size}" in text(page)
    assert address(session, "checkpoint", kept.pk) in page.content.decode()


def test_a_session_without_any_says_what_they_are(client, superuser, new_session):
    client.force_login(superuser)

    page = client.get(address(new_session("new")), {"tab": "checkpoints"})

    assert "No checkpoint yet" in text(page)
    assert "./aegis checkpoint create new" in text(page)


def test_a_button_takes_one(client, session):
    answer = client.post(address(session, "checkpoint_take"), {"label": " before the opening "})

    assert answer["Location"] == f"{address(session)}?tab=checkpoints"
    assert Checkpoint.objects.of_session(session.pk)[0].label == "before the opening"


def test_none_is_taken_of_what_is_over(client, session, asking):
    lifecycle.end(principal=asking, session=session)

    page = client.get(address(session), {"tab": "checkpoints"})
    answer = client.post(address(session, "checkpoint_take"), follow=True)

    assert "Take a checkpoint" not in text(page)
    assert "INVALID_STATE" in text(answer)
    assert Checkpoint.objects.count() == 1


def test_re1_looking_at_one_moves_nothing_and_says_what_is_otherwise(client, session, kept):
    before = factories.ledger(session)

    page = text(client.get(address(session, "checkpoint", kept.pk)))

    assert factories.ledger(session) == before
    assert f"1 event between {kept.seq} and {kept.seq + 1}: session.updated 1" in page
    assert "n Memory 1 2" in page


def test_two_are_compared(client, session, kept, asking):
    memory.remember(principal=asking, session=session, key="m", value=3)
    other = checkpoints.create(principal=asking, session=session, label="later")
    memory.remember(principal=asking, session=session, key="m", value=4)

    page = text(client.get(address(session, "checkpoint", kept.pk), {"to": str(other.pk)}))
    missing = client.get(address(session, "checkpoint", kept.pk), {"to": "nothing"})

    assert "m Memory – 3 n Memory 1 2" in page
    assert missing.status_code == 404


def test_recovering_brings_back_what_was(client, session, kept, asking):
    lifecycle.start(principal=asking, session=session)
    lifecycle.pause(principal=asking, session=session)

    answer = client.post(address(session, "checkpoint_recover", kept.pk), {"reason": "wrong"})

    session.refresh_from_db()
    assert answer["Location"] == f"{address(session)}?tab=timeline"
    assert (session.state, session.memory, session.reason) == ("paused", {"n": 1}, "wrong")


def test_recovering_what_runs_is_refused_with_the_reason(client, session, kept, asking):
    lifecycle.start(principal=asking, session=session)

    page = client.get(address(session, "checkpoint", kept.pk))
    answer = client.post(address(session, "checkpoint_recover", kept.pk))

    assert "Cannot recover while running; pause or stop the session first." in text(page)
    assert (answer.status_code, "INVALID_STATE" in text(answer)) == (400, True)


def test_production_is_recovered_for_a_reason_only(client, superuser, new_session, asking):
    client.force_login(superuser)
    session = new_session("real", environment="production")
    kept = checkpoints.create(principal=asking, session=session)
    lifecycle.start(principal=asking, session=session)
    lifecycle.pause(principal=asking, session=session)

    answer = client.post(address(session, "checkpoint_recover", kept.pk), {"reason": " "})

    assert "A reason is required in production." in text(answer)


def test_a_fork_is_made_with_the_effects_that_were_chosen(client, session, kept):
    said = {"name": "What if", "key": "what-if", "effects": "stub"}

    answer = client.post(address(session, "checkpoint_fork", kept.pk), said)

    made = Session.objects.get(key="what-if")
    assert answer["Location"] == f"{address(made)}?tab=timeline"
    assert (made.name, made.memory, made.fork.effects) == ("What if", {"n": 1}, "stub")
    tab = client.get(address(session), {"tab": "checkpoints"})
    assert "Made of this session: What if , effects stub" in text(tab)
    assert "Fork, effects stub. Nothing is carried out. Of Desk at position" in text(
        client.get(address(made))
    )


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"effects": "all"}, "effects is recorded, stub or live."),
        ({"key": "desk"}, "SESSION_ALREADY_EXISTS"),
        ({"replay": "1"}, "Nothing of this session was recorded."),
    ],
)
def test_a_fork_that_cannot_be_is_told_and_keeps_what_was_typed(
    client, session, kept, said, problem
):
    answer = client.post(address(session, "checkpoint_fork", kept.pk), {"name": "Mine", **said})

    assert problem in text(answer)
    assert 'value="Mine"' in answer.content.decode()
    assert Session.objects.count() == 1


def test_one_is_removed(client, session, kept):
    answer = client.post(address(session, "checkpoint_remove", kept.pk), follow=True)

    assert "kept is removed." in text(answer)
    assert not Checkpoint.objects.exists()


def test_who_only_reads_has_no_buttons(client, viewer, session, kept):
    client.force_login(viewer)

    page = text(client.get(address(session, "checkpoint", kept.pk)))
    answer = client.post(address(session, "checkpoint_remove", kept.pk))

    assert [word for word in ("Recover to", "Fork from", "Remove", "Take a") if word in page] == []
    assert answer.status_code == 403
    assert Checkpoint.objects.exists()


def test_the_list_takes_as_many_queries_for_three_as_for_one(
    client, session, asking, django_assert_max_num_queries
):
    with django_assert_max_num_queries(40) as one:
        client.get(address(session), {"tab": "checkpoints"})
    for label in ("second", "third"):
        checkpoints.create(principal=asking, session=session, label=label)

    with django_assert_max_num_queries(40) as three:
        client.get(address(session), {"tab": "checkpoints"})

    assert len(three) == len(one)
