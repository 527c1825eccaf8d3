import pytest
from django.contrib.auth.models import User

from sessions.core import tags as words
from sessions.models import Session
from sessions.services import lifecycle, tags
from streaming.models import AuditEntry
from tests.integration.admin.help import SESSIONS, principal, text

WRITER = ("aegis_sessions.view_session", "aegis_sessions.change_session")


@pytest.fixture
def post(client, operator):
    """Post a bulk change of some sessions as an operator."""
    client.force_login(operator)

    def send(verb: str, sessions, **more):
        chosen = [str(session.pk) for session in sessions]
        listed = f"{SESSIONS}?state=created,ended"
        return client.post(listed, {"action": verb, "_selected_action": chosen, **more})

    return send


@pytest.fixture
def change(post):
    """Look at what a bulk change would do, and do it."""

    def send(verb: str, sessions, **said):
        shown = post(verb, sessions, **said)
        return post(verb, sessions, **said, seen=shown.context["seen"], confirm="1")

    return send


@pytest.fixture
def ann(team) -> User:
    user = User.objects.create_user("ann")
    user.groups.add(team)
    return user


def carried() -> dict[str, list[str]]:
    return dict(Session.objects.values_list("key", "tags"))


def test_form_asks_for_tags_before_anything_is_shown_to_change(post, new_session):
    sessions = [new_session("one"), new_session("two")]

    page = text(post("tag", sessions))

    assert "Tag 2 sessions" in page
    assert "They carry none." in page
    assert "What happens" not in page
    assert carried() == {"one": [], "two": []}


def test_preview_says_what_each_would_get_and_lose_and_changes_nothing(
    post, superuser, new_session
):
    one, two, three = (new_session(key) for key in ("one", "two", "three"))
    tags.put(principal=principal(superuser), session=two, names=["demo", "old"])
    tags.put(principal=principal(superuser), session=three, names=["demo"])

    page = text(post("tag", [one, two, three], add="Demo", remove="old"))

    assert "Tag 2 sessions?" in page
    assert "2 test" in page
    assert "2 Created" in page
    assert "Gets demo" in page
    assert "Loses old" in page
    assert "Nothing. It has these tags." in page
    assert carried()["one"] == []


def test_tags_are_put_on_and_taken_off_by_the_commands_of_one_session(
    change, operator, superuser, new_session
):
    one, two = new_session("one"), new_session("two")
    tags.put(principal=principal(superuser), session=two, names=["old"])

    page = text(change("tag", [one, two], add="demo, Needs review", remove="old"))

    assert "2 tagged, 0 refused" in page
    assert carried() == {"one": ["demo", "needs-review"], "two": ["demo", "needs-review"]}
    told = AuditEntry.objects.filter(principal_id=principal(operator).id).order_by("pk")
    assert sorted(told.values_list("command", "target")) == [
        ("session.tag", "one"),
        ("session.tag", "two"),
        ("session.untag", "two"),
    ]


def test_what_was_changed_in_the_form_since_is_shown_first(post, new_session):
    session = new_session("one")
    shown = post("tag", [session], add="demo")

    again = post("tag", [session], add="other", seen=shown.context["seen"], confirm="1")

    assert "Tag 1 session?" in text(again)
    assert carried() == {"one": []}


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"add": "a/b"}, "A tag has 1 to 50 printable characters"),
        ({"add": "demo", "remove": "demo"}, "demo cannot be put on and taken off at once."),
    ],
)
def test_what_cannot_be_meant_is_told_at_the_form(post, new_session, said, problem):
    page = text(post("tag", [new_session("one")], **said))

    assert problem in page
    assert "What happens" not in page


def test_a_session_that_has_too_many_is_refused_and_tried_again_alone(
    change, superuser, new_session
):
    full, free = new_session("full"), new_session("free")
    names = [f"t{number}" for number in range(words.MOST_ON_A_SESSION)]
    tags.put(principal=principal(superuser), session=full, names=names)

    done = change("tag", [full, free], add="demo")

    assert "1 tagged, 1 refused" in text(done)
    assert "A session has at most 20 tags. VALIDATION_ERROR" in text(done)
    assert done.context["selected"] == [str(full.pk)]
    assert done.context["said"] == {"add": "demo", "remove": "", "seen": "demo | "}
    assert carried()["free"] == ["demo"]
    assert AuditEntry.objects.filter(command="session.tag", code="VALIDATION_ERROR").count() == 1


def test_in_production_a_reason_is_asked_for_and_the_audit_has_it(post, new_session):
    sessions = [new_session("live", environment="production"), new_session("calm")]
    said = {"add": "demo"}
    seen = post("tag", sessions, **said).context["seen"]

    without = post("tag", sessions, **said, seen=seen, confirm="1")
    done = post("tag", sessions, **said, seen=seen, confirm="1", reason="audit week")

    assert "A reason is required in production." in text(without)
    assert "Tag 2 sessions?" in text(without)
    assert "2 tagged, 0 refused" in text(done)
    entries = AuditEntry.objects.filter(command="session.tag", outcome="ok")
    assert {entry.detail["reason"] for entry in entries} == {"audit week"}


def test_sessions_are_assigned_and_refusals_have_their_reasons(
    change, post, superuser, new_session, ann
):
    one, closed, theirs = new_session("one"), new_session("closed"), new_session("theirs")
    lifecycle.end(principal=principal(superuser), session=closed.pk)
    Session.objects.filter(pk=theirs.pk).update(owner=ann, owner_label="ann")

    preview = text(post("assign", [one, closed, theirs], owner="ann"))
    done = change("assign", [one, closed, theirs], owner="ann")

    assert "From root to ann" in preview
    assert "Refused. Cannot assign a session that is ended." in preview
    assert "Nothing. It is theirs already." in preview
    assert "1 assigned, 1 refused" in text(done)
    assert Session.objects.get(pk=one.pk).owner == ann
    assert AuditEntry.objects.filter(command="session.assign", outcome="ok").count() == 1


def test_owners_that_are_offered_are_those_of_the_team(post, new_session, ann, other_team):
    User.objects.create_user("stranger").groups.add(other_team)

    offered = post("assign", [new_session("one")]).context["fields"][0].offered

    assert offered == ["shared", "ann", "olga", "root"]


def test_nobody_is_assigned_who_is_not_of_the_team(change, new_session, ann):
    done = text(change("assign", [new_session("one")], owner="nobody"))

    assert "0 assigned, 1 refused" in done
    assert "has nobody of this name" in done


def test_one_session_is_exported_as_it_is_from_its_own_page(client, superuser, new_session):
    session = new_session("one")
    client.force_login(superuser)

    answer = client.post(SESSIONS, {"action": "export", "_selected_action": [str(session.pk)]})

    assert answer["Location"] == f"/api/v1/sessions/{session.pk}/capsule"


def test_page_of_an_export_says_what_of_how_many_and_what_is_left_out(
    client, superuser, new_session
):
    made = [new_session("one"), new_session("two", environment="production")]
    client.force_login(superuser)
    chosen = [str(one.pk) for one in made]

    page = client.post(SESSIONS, {"action": "export", "_selected_action": chosen})

    assert "Export 2 sessions?" in text(page)
    assert "1 production 1 test" in text(page)
    assert "Texts whose names say that they are secrets" in text(page)
    for one in made:
        assert f"/api/v1/sessions/{one.pk}/capsule" in page.content.decode()


def test_who_may_not_write_or_read_all_is_offered_none_of_it(client, viewer, person, new_session):
    session = new_session("one")
    client.force_login(person("will", *WRITER))
    offered = client.get(SESSIONS).content.decode()
    words = ("tag", "assign", "export", "pause")
    assert [f'value="{word}"' in offered for word in words] == [True, True, False, False]

    client.force_login(viewer)
    chosen = [str(session.pk)]
    client.post(
        SESSIONS,
        {"action": "tag", "_selected_action": chosen, "add": "x", "seen": "x | ", "confirm": "1"},
    )

    assert carried() == {"one": []}


def test_sessions_of_other_teams_cannot_be_changed(change, new_session, other_team):
    theirs = new_session("theirs", team="others")

    done = text(change("tag", [theirs], add="demo"))

    assert "theirs" not in done
    assert carried() == {"theirs": []}


def test_more_than_are_taken_at_once_are_told(post, new_session, monkeypatch):
    monkeypatch.setattr("sessions.admin.bulk.AT_MOST", 2)
    sessions = [new_session(key) for key in ("one", "two", "three")]

    page = text(post("tag", sessions, add="demo"))

    assert "Only the first 2 of those that were selected." in page
    assert "Tag 2 sessions?" in page
