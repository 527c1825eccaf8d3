"""What the session page counts: on its tabs, and on the quick filters of its timeline."""

from sessions.selectors import made
from sessions.services import checkpoints
from tests import asking, factories
from tests.integration.admin.help import address, text


def test_tabs_and_quick_filters_say_how_much_there_is(client, superuser):
    session = factories.session(key="desk")
    asking.approval(asking.run(session))
    for label in ("one", "two"):
        checkpoints.create(principal=factories.OPERATOR, session=session, label=label)
    client.force_login(superuser)

    page = text(client.get(address(session)))

    assert made.of(session.pk) == {"calls": 1, "checkpoints": 3, "artifacts": 0}, "one is automatic"
    assert "Tool calls 1 Checkpoints 3 Artifacts Config" in page
    assert "All Errors People" in page, "none is not counted"


def test_a_session_in_which_nothing_was_made_counts_nothing(new_session):
    assert made.of(new_session("one").pk) == {"calls": 0, "checkpoints": 0, "artifacts": 0}


def test_what_people_did_is_counted_on_its_filter(client, superuser, new_session):
    session = new_session("one")
    client.force_login(superuser)

    assert "People 1" in text(client.get(address(session)))


def test_names_in_the_header_are_as_they_were_given(client, superuser, new_session):
    session = new_session("desk", name="desk of ana")
    client.force_login(superuser)

    page = client.get(address(session)).content.decode()

    assert "Sessions" in text(page.partition("<main")[0])
    assert "desk of ana" in text(page.partition("<main")[0])
    assert "Desk of ana" not in page
