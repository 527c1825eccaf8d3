from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User

from aegis_project.kit.errors import (
    InvalidState,
    PermissionDenied,
    PreconditionFailed,
    ValidationFailed,
)
from aegis_project.kit.principal import Principal
from components.core.errors import ComponentNotFound
from components.core.lifecycle import Role
from components.models import Component, Credential
from components.services import credentials
from components.services.registry import Expected
from sessions.core.errors import SessionAlreadyExists, SessionNotFound
from sessions.core.lifecycle import Environment, Kind, Mode, State
from sessions.models import Replay, Session
from sessions.services import creation, lifecycle
from sessions.services.creation import Draft
from streaming.core.errors import UnknownTopic
from streaming.models import AuditEntry, Log
from tests import factories
from tests.factories import OPERATOR

pytestmark = pytest.mark.django_db

ATTACHABLE = [State.CREATED, State.PAUSED, State.STOPPED]
OPEN = [State.CREATED, State.RUNNING, State.PAUSED, State.STOPPED, State.FAILED]
CLOSED = [State.COMPLETED, State.ENDED]


def create(principal: Principal = OPERATOR, **draft: Any) -> Session:
    return creation.create(principal=principal, draft=Draft(**draft)).session


# Making


def test_a_session_is_made_of_what_was_said():
    said: dict[str, Any] = {
        "key": "btc-1",
        "name": "Bitcoin",
        "kind": Kind.METRICS,
        "mode": Mode.HISTORICAL,
        "environment": Environment.TEST,
        "agent": "analyst",
        "owner_label": "desk",
        "context": {"a": 1},
        "config": {"b": [2]},
        "memory": {"c": None},
        "metadata": {"d": "é"},
        "expires_at": datetime(2030, 1, 1, tzinfo=UTC),
    }

    session = create(**said)

    row = Session.objects.get(pk=session.pk)
    assert {name: getattr(row, name) for name in said} == said
    assert (row.state, row.version, row.activation, row.team.name) == ("created", 1, 0, "default")


def test_a_session_of_which_nothing_was_said_has_the_defaults():
    row = create()

    assert (row.key, row.name, row.kind, row.mode, row.environment) == (
        str(row.pk),
        "",
        "stream",
        "realtime",
        "development",
    )
    assert (row.context, row.config, row.memory, row.metadata) == ({}, {}, {}, {})
    assert (row.owner, row.owner_label) == (None, "operator")


def test_a_person_owns_the_session_they_make():
    user = User.objects.create_user("anna")
    anna = Principal(
        kind="user",
        id=f"user:{user.pk}",
        label="anna",
        scopes=frozenset({"sessions:write"}),
        teams=None,
        user_id=user.pk,
    )

    row = create(anna)

    assert (row.owner, row.owner_label) == (user, "anna")


def test_a_session_begins_with_a_ledger_of_one_event():
    session = create(key="one")

    log = Log.objects.get(session=session)
    assert (log.name, log.start, log.head, len(log.epoch)) == ("ledger", 1, 1, 16)
    assert factories.events(session) == ["session.created"]


def test_creating_needs_the_scope():
    with pytest.raises(PermissionDenied):
        create(factories.member(factories.team("default"), scopes=["sessions:control"]))

    entry = AuditEntry.objects.get()
    assert (entry.command, entry.outcome, entry.code) == (
        "session.create",
        "refused",
        "PERMISSION_DENIED",
    )


def test_a_session_that_was_refused_leaves_nothing_but_the_refusal():
    with pytest.raises(UnknownTopic):
        creation.create(
            principal=OPERATOR,
            draft=Draft(key="half"),
            expected=[Expected(name="feed", topics=("no topic",))],
        )

    assert not Session.objects.exists()
    assert not Log.objects.exists()
    assert not Component.objects.exists()
    assert AuditEntry.objects.get().outcome == "refused"


@pytest.mark.parametrize(("field", "limit"), [("name", 200), ("agent", 100), ("owner_label", 200)])
def test_a_text_longer_than_its_place_is_refused(field: str, limit: int):
    fits: dict[str, Any] = {field: "é" * limit}
    assert getattr(create(**fits), field) == "é" * limit

    with pytest.raises(ValidationFailed) as refusal:
        create(**{name: text + "é" for name, text in fits.items()})

    assert refusal.value.details == {"field": field, "longest": limit}


def test_a_historical_session_needs_a_dataset_of_this_server():
    with pytest.raises(ValidationFailed):
        create(mode=Mode.HISTORICAL, config={"source": {"dataset": "nowhere"}})

    assert not Replay.objects.exists()
    assert not Session.objects.exists()


# Keys


@pytest.mark.parametrize("key", ["-a", "a b", "a/b", "x" * 129, "start", "Messages", "stats"])
def test_a_key_that_cannot_be_is_refused(key: str):
    with pytest.raises(ValidationFailed):
        create(key=key)


def test_a_key_is_given_once_in_a_team():
    create(key="mine")

    with pytest.raises(SessionAlreadyExists) as refusal:
        create(key="mine")

    assert refusal.value.as_dict() == {
        "code": "SESSION_ALREADY_EXISTS",
        "message": "A session with the key mine exists.",
        "details": {"key": "mine"},
    }


def test_a_key_tells_upper_case_from_lower_case():
    assert create(key="mine") != create(key="Mine")


def test_another_team_may_have_the_same_key():
    ours, theirs = factories.team("ours"), factories.team("theirs")

    mine = create(factories.member(ours), key="mine")
    other = create(factories.member(theirs), key="mine")

    assert (mine.team, other.team) == (ours, theirs)


def test_the_key_of_a_deleted_session_is_free_again():
    first = create(key="mine")
    lifecycle.delete(principal=OPERATOR, session=first)

    assert create(key="mine").pk != first.pk


def test_a_key_may_look_like_a_uuid_that_nobody_has():
    key = str(uuid4())

    session = create(key=key)

    assert lifecycle.start(principal=OPERATOR, session=key).session.pk == session.pk
    assert str(session.pk) != key


@pytest.mark.parametrize("spell", [str, lambda pk: pk.hex, lambda pk: str(pk).upper()])
def test_a_key_is_never_the_uuid_of_another_session(spell: Any):
    other = create()

    with pytest.raises(SessionAlreadyExists):
        create(key=spell(other.pk))


def test_a_key_is_never_the_uuid_of_a_session_out_of_sight_or_deleted():
    theirs = create(factories.member(factories.team("theirs")))
    deleted = create()
    lifecycle.delete(principal=OPERATOR, session=deleted)
    ours = factories.member(factories.team("ours"))

    for other in (theirs, deleted):
        with pytest.raises(SessionAlreadyExists):
            create(ours, key=str(other.pk))


# Teams


def test_a_session_goes_to_the_team_that_was_named():
    one, two = factories.team("one"), factories.team("two")

    assert create(factories.member(one, two), team="two").team == two


def test_a_session_goes_to_the_only_team_of_its_maker():
    only = factories.team("only")

    assert create(factories.member(only)).team == only


def test_a_session_goes_to_the_default_team_of_a_maker_with_several():
    teams = [factories.team("another"), factories.team("default")]

    assert create(factories.member(*teams)).team.name == "default"


def test_a_team_of_others_is_refused_like_one_that_is_not_there():
    factories.team("theirs")
    ours = factories.member(factories.team("ours"))

    for name in ("theirs", "nobodys"):
        with pytest.raises(PermissionDenied) as refusal:
            create(ours, team=name)
        assert refusal.value.message == "There is no such team for you."


def test_who_is_of_no_team_makes_no_session():
    with pytest.raises(PermissionDenied):
        create(factories.member())


def test_the_default_team_is_made_again_for_whoever_is_of_every_team():
    Group.objects.all().delete()

    assert create().team.name == "default"


# Attaching


def test_attached_components_are_expected_in_their_order():
    session = create()

    outcome = creation.attach(
        principal=OPERATOR,
        session=session,
        expected=[
            Expected(name="feed", role=Role.FEED, topics=("klines.*", "trades.BTC")),
            Expected(name="watcher", required=False),
        ],
    )

    rows = Component.objects.of_session(session.pk).values_list(
        "name", "role", "required", "state", "topics", "fence"
    )
    assert list(rows) == [
        ("feed", "feed", True, "pending", ["klines.*", "trades.BTC"], 0),
        ("watcher", "observer", False, "pending", [], 0),
    ]
    assert outcome.session.component_count == 2
    assert [
        (type_, data["name"], data["role"], data["required"])
        for type_, data in factories.told(session)[1:-1]
    ] == [
        ("component.attached", "feed", "feed", True),
        ("component.attached", "watcher", "observer", False),
    ]


def test_attaching_gives_a_token_of_the_session():
    session = create()

    secret = creation.attach(
        principal=OPERATOR, session=session, expected=[Expected(name="feed")]
    ).secret

    found = credentials.verify(secret, transport="test")
    assert (found.session_id, found.component_id, found.patterns) == (session.pk, None, ["**"])
    assert factories.told(session)[-1] == (
        "credential.issued",
        {"credential_id": str(found.pk), "name": "session token", "component_id": None},
    )


def test_attaching_a_name_again_changes_what_is_expected_of_it():
    session = factories.session(expected=[Expected(name="feed", topics=("trades.BTC",))])

    outcome = creation.attach(
        principal=OPERATOR,
        session=session,
        expected=[Expected(name="feed", role=Role.FEED, required=False)],
    )

    row = Component.objects.get(session=session)
    assert (row.role, row.required, row.topics) == ("feed", False, ["trades.BTC"])
    assert outcome.session.component_count == 1


def test_attaching_a_component_that_came_by_itself_makes_it_required():
    session = create()
    factories.readied(session, "feed", topics=("trades.BTC",))

    creation.attach(principal=OPERATOR, session=session, expected=[Expected(name="feed")])

    row = Component.objects.get(session=session)
    assert (row.required, row.state, row.topics) == (True, "ready", ["trades.BTC"])


@pytest.mark.parametrize("state", State)
def test_components_are_attached_in_created_paused_and_stopped(state: State):
    session = factories.session_in(state)

    def attach() -> None:
        creation.attach(principal=OPERATOR, session=session, expected=[Expected(name="feed")])

    if state in ATTACHABLE:
        attach()
    else:
        with pytest.raises(InvalidState) as refusal:
            attach()
        assert refusal.value.details == {
            "from": state,
            "command": "attach",
            "allowed": Session.objects.get(pk=session.pk).legal(),
        }
    assert Component.objects.filter(session=session).exists() is (state in ATTACHABLE)


def test_attaching_nothing_is_refused():
    with pytest.raises(ValidationFailed):
        creation.attach(principal=OPERATOR, session=create(), expected=[])


@pytest.mark.parametrize("name", ["", " feed", "feed ", "a\nb", "x" * 129, "\x07"])
def test_a_name_that_no_component_can_have_is_refused(name: str):
    with pytest.raises(ValidationFailed):
        creation.attach(principal=OPERATOR, session=create(), expected=[Expected(name=name)])


# Tokens


def test_a_token_asked_for_at_the_creation_opens_the_session():
    outcome = creation.create(principal=OPERATOR, draft=Draft(), with_token=True)

    found = credentials.verify(outcome.secret, transport="test")
    assert (found.session_id, found.team_id) == (outcome.session.pk, outcome.session.team_id)


def test_without_asking_there_is_no_token():
    outcome = creation.create(principal=OPERATOR, draft=Draft())

    assert outcome.secret == ""
    assert not Credential.objects.exists()


@pytest.mark.parametrize("state", OPEN)
def test_further_tokens_are_given_while_the_session_is_open(state: State):
    session = factories.session_in(state)

    issued = creation.issue_token(principal=OPERATOR, session=session, patterns=["trades.*"])

    assert (issued.credential.session_id, issued.credential.patterns) == (
        session.pk,
        ["trades.*"],
    )


@pytest.mark.parametrize("state", CLOSED)
def test_a_closed_session_gives_no_token(state: State):
    session = factories.session_in(state)

    with pytest.raises(InvalidState):
        creation.issue_token(principal=OPERATOR, session=session)


def test_a_token_may_be_for_one_component():
    session = factories.session(expected=[Expected(name="feed")])

    issued = creation.issue_token(principal=OPERATOR, session=session, component="feed")

    assert issued.credential.component == Component.objects.get(session=session)


def test_there_is_no_token_for_a_component_of_another_session():
    other = factories.session(expected=[Expected(name="feed")])
    feed = Component.objects.get(session=other)

    with pytest.raises(ComponentNotFound):
        creation.issue_token(principal=OPERATOR, session=create(), component=str(feed.pk))


def test_a_token_has_no_more_topics_than_who_asked_for_it():
    team = factories.team("default")
    narrow = factories.narrowed(factories.member(team), "trades.*")
    session = create(narrow)

    issued = creation.issue_token(principal=narrow, session=session)

    assert issued.credential.patterns == ["trades.*"]
    with pytest.raises(PermissionDenied) as refusal:
        creation.issue_token(principal=narrow, session=session, patterns=["trades.BTC", "**"])
    assert refusal.value.details == {"patterns": ["**"]}


def test_the_audit_of_a_token_never_has_its_secret():
    session = create()

    issued = creation.issue_token(principal=OPERATOR, session=session)

    entry = AuditEntry.objects.get(command="session.token")
    assert (entry.session_id, entry.target) == (session.pk, str(issued.credential.pk))
    assert issued.secret not in str(entry.detail)


# Changing


def test_a_change_of_editable_fields_counts_a_version_and_is_told():
    session = create(name="old", metadata={"a": 1})

    outcome = creation.update(
        principal=OPERATOR,
        session=session,
        changes={"name": "new", "metadata": {"b": 2}, "context": {}},
    )

    row = Session.objects.get(pk=session.pk)
    assert (row.name, row.metadata, row.version) == ("new", {"b": 2}, 2)
    assert outcome.session.version == 2
    assert factories.told(session)[1:] == [("session.updated", {"fields": ["metadata", "name"]})]


def test_a_change_to_what_is_there_already_changes_nothing():
    session = create(name="same")

    creation.update(principal=OPERATOR, session=session, changes={"name": "same"})

    assert Session.objects.get(pk=session.pk).version == 1
    assert factories.events(session) == ["session.created"]


@pytest.mark.parametrize("field", ["state", "key", "version", "team_id", "activation"])
def test_what_is_not_editable_stays(field: str):
    session = create()
    before = Session.objects.filter(pk=session.pk).values().get()

    creation.update(principal=OPERATOR, session=session, changes={field: "other"})

    assert Session.objects.filter(pk=session.pk).values().get() == before


def test_a_stale_version_is_refused_with_the_current_one():
    session = create()
    creation.update(principal=OPERATOR, session=session, changes={"name": "a"}, version=1)

    with pytest.raises(PreconditionFailed) as refusal:
        creation.update(principal=OPERATOR, session=session, changes={"name": "b"}, version=1)

    assert refusal.value.details == {"version": 2}
    assert Session.objects.get(pk=session.pk).name == "a"


@pytest.mark.parametrize("state", CLOSED)
def test_a_closed_session_is_not_changed(state: State):
    session = factories.session_in(state)

    with pytest.raises(InvalidState):
        creation.update(principal=OPERATOR, session=session, changes={"name": "late"})


def test_topic_rules_that_cannot_be_are_refused_with_their_place():
    wrong = {"topics": [{"pattern": "**", "retention": {"records": 0}}]}
    session = create(config={"topics": [{"pattern": "**"}]})

    with pytest.raises(ValidationFailed) as made:
        create(config=wrong)
    with pytest.raises(ValidationFailed) as changed:
        creation.update(principal=OPERATOR, session=session, changes={"config": wrong})

    place = {"field": "config.topics[0].retention.records"}
    assert (made.value.details, changed.value.details) == (place, place)
    assert Session.objects.get().config == {"topics": [{"pattern": "**"}]}


def test_a_name_too_long_is_no_change_either():
    with pytest.raises(ValidationFailed):
        creation.update(principal=OPERATOR, session=create(), changes={"name": "x" * 201})


@pytest.mark.parametrize("command", ["attach", "issue_token", "update"])
def test_what_others_have_is_not_there(command: str):
    session = create(factories.member(factories.team("theirs")))
    ours = factories.member(factories.team("ours"))
    arguments: dict[str, Any] = {
        "attach": {"expected": [Expected(name="feed")]},
        "update": {"changes": {"name": "x"}},
    }

    with pytest.raises(SessionNotFound):
        getattr(creation, command)(
            principal=ours, session=session.key, **arguments.get(command, {})
        )
