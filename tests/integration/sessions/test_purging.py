"""What is over for long enough leaves for good; nothing else does."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.test import Client
from django.utils import timezone

from aegis_project.kit.errors import PermissionDenied, ValidationFailed
from sessions.core.lifecycle import State
from sessions.models import Artifact, Attachment, Session
from sessions.selectors.purging import Wish
from sessions.services import checkpoints, forks, lifecycle, purging, redrives, tags
from sessions.services.redrives import Drive
from streaming.models import AuditEntry, Event
from tests import factories
from tests.calling import SYSTEM, Caller, code
from tests.factories import OPERATOR
from tests.integration.sessions.test_capsules import lived
from tests.integration.sessions.test_review import recorded

pytestmark = pytest.mark.django_db(transaction=True)

OLD = Wish(30)


def over(key: str, state: State = State.ENDED, *, days: float = 31) -> Session:
    """A session that has been over for so many days."""
    session = factories.session_in(state, key=key)
    since(session, days)
    return session


def since(session: Session, days: float) -> None:
    at = timezone.now() - timedelta(days=days)
    Session.objects.filter(pk=session.pk).update(stopped_at=at)


def purged(wish: Wish = OLD, *, is_dry: bool = False) -> list[str]:
    found = purging.purge(principal=SYSTEM, wish=wish, is_dry=is_dry)
    return [one.session.key for one in found]


def left() -> set[str]:
    return set(Session.objects.values_list("key", flat=True))


def test_what_is_over_goes_with_all_that_is_its_own_and_the_audit_keeps_that_it_was():
    session = lived()
    lifecycle.end(principal=OPERATOR, session=session)
    since(session, 31)
    files = [Attachment.objects.get().path, Artifact.objects.get().path]

    [gone] = purging.purge(principal=SYSTEM, wish=OLD, is_dry=False)

    assert (left(), Event.objects.count()) == (set(), 0)
    assert not any(storages["sessions"].exists(path) for path in files)
    entry = AuditEntry.objects.get(command="session.purge")
    assert (entry.target, entry.session_id) == ("desk", session.pk)
    assert entry.detail == {
        "events": gone.events,
        "records": gone.records,
        "messages": 2,
        "files": 2,
        "bytes": gone.bytes,
    }
    assert gone.bytes > len(b"hello") + len(b"made")


def test_a_dry_run_says_the_same_and_does_nothing():
    over("a")
    over("b", State.COMPLETED)

    before = purged(is_dry=True)

    assert (before, left()) == (["a", "b"], {"a", "b"})
    assert not AuditEntry.objects.filter(command="session.purge").exists()
    assert purged() == before


def test_what_is_open_or_not_old_enough_stays():
    over("young", days=29)
    for state in (State.CREATED, State.RUNNING, State.PAUSED, State.STOPPED, State.FAILED):
        since(factories.session_in(state, key=state.value), 99)

    assert purged() == []
    assert len(left()) == 6


def test_state_and_tag_narrow_it():
    over("done", State.COMPLETED)
    tagged, _ = over("a"), over("b")
    tags.put(principal=OPERATOR, session=tagged.pk, names=["old"])

    assert purged(Wish(30, state="completed")) == ["done"]
    assert purged(Wish(30, tag="old")) == ["a"]
    assert left() == {"b"}


def test_one_that_an_open_session_needs_is_held():
    parent = factories.session_in(State.RUNNING, key="parent")
    checkpoints.create(principal=OPERATOR, session=parent)
    child = forks.fork(principal=OPERATOR, session=parent, checkpoint="latest").session
    tape = factories.session_in(State.RUNNING, key="tape")
    recorded(tape)
    again = redrives.redrive(principal=OPERATOR, session=tape, drive=Drive()).session
    for one in (parent, tape):
        lifecycle.end(principal=OPERATOR, session=one)
        since(one, 31)

    held = purged()
    for one in (child, again):
        lifecycle.end(principal=OPERATOR, session=one)

    assert (held, sorted(purged())) == ([], ["parent", "tape"])


def test_a_wish_that_cannot_be_and_a_right_that_nobody_is_given_are_refused():
    member = factories.member(factories.team("default"))
    narrow = factories.member(factories.team("default"), scopes=["sessions:control"])

    for wish in (Wish(-1), Wish(1, state="running"), Wish(1e9)):
        with pytest.raises(ValidationFailed):
            purging.purge(principal=member, wish=wish, is_dry=True)
    with pytest.raises(PermissionDenied):
        purging.purge(principal=narrow, wish=OLD, is_dry=True)


def test_over_http_a_superuser_is_told_first(program: Caller):
    over("a")
    client = Client()
    client.force_login(User.objects.create_superuser("root"))

    def asked(**body: Any) -> Any:
        return client.post("/api/v1/purge", body, content_type="application/json")

    told = asked(older_than_days=30).json()
    there = left()
    done = asked(older_than_days=30, dry_run=False).json()

    assert ([one["key"] for one in told["data"]], told["dry_run"]) == (["a"], True)
    assert (there, left()) == ({"a"}, set())
    assert (done["data"], done["bytes"]) == (told["data"], told["bytes"])
    assert code(program.post("/api/v1/purge", {"older_than_days": 1})) == (403, "PERMISSION_DENIED")
    assert asked(older_than_days=-1).status_code == 400


@pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning")
def test_the_command_line_asks_first(aegis: Any):
    over("a")

    dry = aegis("purge", "--older-than", "30", "--dry-run", "--json")
    unsure = aegis("purge", "--older-than", "30")
    done = aegis("purge", "--older-than", "30", "--yes", "--json")
    nothing = aegis("purge", "--older-than", "30", "--json")

    assert [one["key"] for one in dry.document["data"]] == ["a"]
    assert dry.document["meta"]["dry_run"] is True
    assert (unsure.code, left()) == (2, set())
    assert done.document["data"] == dry.document["data"]
    assert nothing.document["data"] == []
