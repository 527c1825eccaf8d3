import pytest

from sessions.core import saved_views as core
from sessions.models import SavedView
from streaming.models import AuditEntry
from tests.integration.admin.help import AUDIT, SESSIONS, principal, rows, text


@pytest.fixture
def keep(client, operator):
    """Send the form of the views of the list of sessions, as an operator."""
    client.force_login(operator)

    def send(act: str = "save", **said):
        return client.post(f"{SESSIONS}views/", {"act": act, **said})

    return send


def kept() -> list[tuple[str, str]]:
    return list(SavedView.objects.order_by("pk").values_list("name", "query"))


def test_a_view_is_kept_and_becomes_a_tab_that_shows_the_same(client, keep, operator, new_session):
    for key in ("alpha-1", "alpha-2", "beta-1"):
        new_session(key)

    done = keep(name="My alphas", query="q=alpha&p=2&o=1")
    page = client.get(done["Location"])

    assert done["Location"] == f"{SESSIONS}?o=1&q=alpha"
    assert rows(page) == ["alpha-1", "alpha-2"]
    assert "My alphas" in text(page)
    assert "Change view" in text(page)
    assert "Save view" in text(client.get(SESSIONS))
    entry = AuditEntry.objects.get(command="view.create")
    assert (entry.principal_id, entry.target) == (principal(operator).id, "My alphas")


def test_a_view_is_renamed_and_removed(keep):
    keep(name="One", query="q=a")
    row = SavedView.objects.get()

    keep("rename", view=row.pk, name="Other", query="q=a")
    assert kept() == [("Other", "q=a")]

    keep("remove", view=row.pk, query="q=a")
    assert kept() == []


def test_a_view_is_of_one_person_alone(client, keep, viewer):
    keep(name="Mine", query="q=a")
    row = SavedView.objects.get()
    client.force_login(viewer)

    page = client.get(SESSIONS)
    for act in ("rename", "remove"):
        client.post(f"{SESSIONS}views/", {"act": act, "view": row.pk, "name": "Theirs"})

    assert "Mine" not in [one.name for one in page.context["saved_views"]]
    assert kept() == [("Mine", "q=a")]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"name": ""}, "The name of a view has 1 to 40 printable characters."),
        ({"name": "One"}, "You have a view One already."),
        ({"name": "Two", "query": f"q={'a' * 1000}"}, "more than a view can keep"),
        ({"act": "remove", "view": "77"}, "There is no such view."),
        ({"act": "remove", "view": "x"}, "There is no such view."),
    ],
)
def test_what_cannot_be_kept_is_told(client, keep, said, problem):
    keep(name="One", query="q=a")

    page = client.get(keep(**said)["Location"])

    assert problem in text(page)
    assert kept() == [("One", "q=a")]


def test_nobody_has_more_than_a_few(client, keep, monkeypatch):
    monkeypatch.setattr(core, "MOST", 2)
    keep(name="One", query="")
    keep(name="Two", query="")

    done = keep(name="Three", query="")

    assert [name for name, _ in kept()] == ["One", "Two"]
    assert "Nobody has more than 2 views of a list." in text(client.get(done["Location"]))


def test_the_audit_has_its_own(client, superuser):
    client.force_login(superuser)

    done = client.post(f"{AUDIT}views/", {"name": "Refused", "query": "outcome__exact=refused"})
    page = client.get(done["Location"])

    assert done["Location"] == f"{AUDIT}?outcome__exact=refused"
    assert page.status_code == 200
    assert [one.name for one in page.context["saved_views"]] == ["Refused"]
    assert client.get(SESSIONS).context["saved_views"] == []
