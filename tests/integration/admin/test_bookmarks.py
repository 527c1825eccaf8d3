"""Bookmarks on the page of a session."""

from sessions.models import Bookmark
from tests.integration.admin.help import address


def test_an_event_is_kept_changed_and_let_go_in_its_drawer(client, superuser, new_session):
    session = new_session("one")
    client.force_login(superuser)
    keep = address(session, "bookmark")

    made = client.post(keep, {"seq": "1", "name": "Begin", "note": "first", "is_shared": "1"})
    row = Bookmark.objects.get()
    page = client.get(address(session)).content.decode()
    drawer = client.get(address(session, "event", 1)).content.decode()
    client.post(keep, {"seq": "1", "bookmark": str(row.pk), "name": "Start"})
    row.refresh_from_db()
    client.post(keep, {"seq": "1", "bookmark": str(row.pk), "remove": "1"})

    assert made["Location"] == f"{address(session)}?tab=timeline&at=1"
    assert '<a href="?tab=timeline&amp;at=1">Begin</a>' in page
    assert str(row.pk) in drawer
    assert (row.name, row.note, row.is_shared) == ("Start", "", False)
    assert not Bookmark.objects.exists()


def test_what_cannot_be_kept_is_told(client, superuser, new_session):
    session = new_session("one")
    client.force_login(superuser)

    answer = client.post(address(session, "bookmark"), {"seq": "99"}, follow=True)

    assert "The ledger has no event at this place. (VALIDATION_ERROR)" in answer.content.decode()
    assert not Bookmark.objects.exists()


def test_a_bookmark_of_others_is_shown_with_their_name(client, superuser, viewer, new_session):
    session = new_session("one")
    client.force_login(superuser)
    client.post(address(session, "bookmark"), {"seq": "1", "name": "Ours", "is_shared": "1"})
    client.post(address(session, "bookmark"), {"seq": "2", "name": "Private"})
    client.force_login(viewer)

    page = client.get(address(session)).content.decode()
    drawer = client.get(address(session, "event", 1)).content.decode()

    assert "Ours" in page
    assert "by user:root" in page
    assert "Private" not in page
    assert "Bookmark this event" in drawer
    assert "Everybody who sees" not in drawer
