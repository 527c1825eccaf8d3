from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from aegis_project import database
from aegis_project.kit.errors import InvalidState, PermissionDenied
from aegis_project.kit.principal import Principal
from sessions.models import Session
from sessions.services import lifecycle
from streaming.models import AuditEntry, Lease
from streaming.services import commands
from streaming.services.commands import Trace, command
from tests import emptying, factories

pytestmark = pytest.mark.django_db

ANNA = Principal(
    kind="user", id="user:7", label="anna", scopes=frozenset({"tests:write"}), transport="rest"
).via("rest", request_id="r-1")


@dataclass
class Done:
    """What a command of these tests returns."""

    session: Session

    def audit(self) -> Trace:
        return Trace(session_id=self.session.pk, target="it", detail={"done": True})


@command("test.note", scope="tests:write")
def note(*, principal: Principal, session: Session, error: Exception | None = None) -> Done:
    """Write something, then go on or fail."""
    Session.objects.filter(pk=session.pk).update(name=f"noted by {principal.label}")
    if error is not None:
        raise error
    return Done(session)


@pytest.fixture
def session() -> Session:
    found = factories.session(name="before")
    emptying.forget_audit()
    return found


def name_of(session: Session) -> str:
    return Session.objects.get(pk=session.pk).name


def test_a_success_is_noted_with_what_it_says_of_itself(session: Session):
    result = note(principal=ANNA, session=session)

    assert result == Done(session)
    assert name_of(session) == "noted by anna"
    entry = AuditEntry.objects.values(
        "command", "actor", "principal_id", "transport", "request_id", "session", "target"
    ).get()
    assert entry == {
        "command": "test.note",
        "actor": "user:anna",
        "principal_id": "user:7",
        "transport": "rest",
        "request_id": "r-1",
        "session": session.pk,
        "target": "it",
    }
    found = AuditEntry.objects.get()
    assert (found.outcome, found.code, found.detail) == ("ok", "", {"done": True})


def test_a_refusal_undoes_the_command_and_is_noted(session: Session):
    with pytest.raises(InvalidState):
        note(principal=ANNA, session=session, error=InvalidState("Not now.", why="test"))

    found = AuditEntry.objects.get()
    assert name_of(session) == "before"
    assert (found.command, found.outcome, found.code, found.target, found.detail) == (
        "test.note",
        "refused",
        "INVALID_STATE",
        str(session.pk),
        {"message": "Not now."},
    )


def test_without_the_scope_nothing_is_done_and_that_is_noted(session: Session):
    nobody = Principal(kind="user", id="user:8", label="ben")

    with pytest.raises(PermissionDenied):
        note(principal=nobody, session=session)

    found = AuditEntry.objects.get()
    assert name_of(session) == "before"
    assert (found.actor, found.outcome, found.code) == ("user:ben", "refused", "PERMISSION_DENIED")


def test_a_fault_of_ours_undoes_the_command_and_is_no_refusal(session: Session):
    with pytest.raises(ZeroDivisionError):
        note(principal=ANNA, session=session, error=ZeroDivisionError())

    assert name_of(session) == "before"
    assert not AuditEntry.objects.exists()


def test_a_success_is_undone_with_its_note_when_the_caller_fails(session: Session):
    def note_and_fail() -> None:
        with database.atomic():
            note(principal=ANNA, session=session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        note_and_fail()

    assert name_of(session) == "before"
    assert not AuditEntry.objects.exists()


def test_a_refusal_within_a_transaction_leaves_the_rest_of_it(session: Session):
    with database.atomic():
        lease = factories.lease()
        with pytest.raises(InvalidState):
            note(principal=ANNA, session=session, error=InvalidState())

    assert Lease.objects.get() == lease
    assert name_of(session) == "before"
    assert AuditEntry.objects.get().outcome == "refused"


def test_a_row_is_traced_by_its_key_and_session(session: Session):
    component = factories.registered(session)

    assert commands.trace(component) == Trace(
        session_id=session.pk, target=str(component.pk), detail={}
    )
    assert commands.trace(None) == Trace(session_id=None, target="", detail={})


TARGET = UUID("5f2f0d9e-6a0b-4d5c-9d52-0c1f5d0f6c11")


@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        ({"session": "key", "component": "c"}, "key"),
        ({"session": TARGET}, str(TARGET)),
        ({"session": Session(pk=TARGET)}, str(TARGET)),
        ({"session": "", "credential": "prefix"}, "prefix"),
        ({"session": "x" * 500}, "x" * 200),
        ({"session": "a\x00b"}, "ab"),
        ({"name": "robot"}, ""),
    ],
)
def test_a_refused_request_is_noted_by_what_it_named(arguments: dict[str, Any], target: str):
    assert commands.target_of(arguments) == target


def test_whatever_a_refused_request_names_can_be_noted(session: Session):
    with pytest.raises(Exception, match="There is no such session"):
        lifecycle.stop(principal=factories.OPERATOR, session="a\x00\U0001f600" * 300)

    assert AuditEntry.objects.get().code == "SESSION_NOT_FOUND"
