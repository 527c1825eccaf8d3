"""The page that puts two sessions side by side."""

import pytest

from sessions.admin import compare
from sessions.services import checkpoints, conversation, forks
from sessions.services.conversation import Utterance
from tests.integration.admin.help import address, text

LONG = "word " * 60


@pytest.fixture
def say(asking):
    def say(session, said):
        conversation.say(principal=asking, session=session, draft=Utterance(content=said))

    return say


@pytest.fixture
def both(client, superuser, new_session, asking):
    """A session and its fork."""
    client.force_login(superuser)
    original = new_session("desk")
    checkpoints.create(principal=asking, session=original, label="here")
    return original, forks.fork(principal=asking, session=original, checkpoint="here").session


def test_page_of_a_fork_leads_to_what_differs(client, both, say):
    made = both[1]
    for one, said in zip(both, ("buy", "sell"), strict=True):
        say(one, "the same")
        say(one, said)

    page = client.get(address(made))
    shown = text(client.get(address(made, "compare")))

    assert address(made, "compare") in page.content.decode()
    assert "1 step the same. Go to the first difference" in shown
    assert "FIRST DIFFERENCE differs preview buy sell" in shown
    assert "where the second was made of it" in shown


def test_texts_that_begin_alike_are_said_to_differ_further_on(client, both, say):
    for one, said in zip(both, ("buy", "sell"), strict=True):
        say(one, LONG + said)

    assert "differs the text, further on" in text(client.get(address(both[1], "compare")))


def test_what_only_one_did_is_said(client, both, say):
    say(both[0], "first")

    assert "FIRST DIFFERENCE only the first" in text(client.get(address(both[1], "compare")))


def test_long_past_is_shown_from_where_they_part_and_paged(client, both, say, monkeypatch):
    monkeypatch.setattr(compare, "ROWS", 4)
    for number in range(8):
        for one in both:
            say(one, f"step {number}")
    say(both[1], "more")

    parts = text(client.get(address(both[1], "compare")))
    begin = client.get(address(both[1], "compare"), {"row": "0"})

    assert "Steps before Steps 4 to 7 of 9 Steps behind" in parts
    assert "Steps 1 to 4 of 9 Steps behind" in text(begin)
    assert "#ae-first" in begin.content.decode()


def test_without_an_original_it_asks_with_which(client, both):
    page = client.get(address(both[0], "compare"))
    missing = client.get(address(both[0], "compare"), {"with": "nobody"})

    assert "Compare with which session?" in text(page)
    assert (missing.status_code, "SESSION_NOT_FOUND" in text(missing)) == (404, True)
    assert "No difference." in text(client.get(address(both[0], "compare"), {"with": both[0].key}))


def test_who_may_not_read_events_is_refused(client, both, django_user_model):
    nobody = django_user_model.objects.create_user("nobody", is_staff=True)
    client.force_login(nobody)

    assert client.get(address(both[0], "compare")).status_code in {403, 404}
