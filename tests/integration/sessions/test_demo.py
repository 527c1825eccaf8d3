"""What the demo brings along, and that a reset removes exactly that."""

import json

import pytest
from django.apps import apps

from aegis_project.kit import principal as principals
from components.models import Credential
from components.services import credentials
from sessions.core.catalogue import AgentDraft
from sessions.core.flash_dip import words
from sessions.core.lifecycle import Kind
from sessions.management import demo, demo_company, demo_reset
from sessions.management.demo_company import PARTS, PRINCIPAL
from sessions.management.scenario import Pace
from sessions.management.serving import CannotServe
from sessions.models import Agent, Policy, Session, Trigger
from sessions.selectors import policies
from sessions.selectors import tags as tags_reading
from sessions.selectors.agents import assistant
from sessions.services import agents, creation, policy_catalogue, tags
from sessions.services.creation import Draft

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.database,
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]

SOMEBODY = principals.system("somebody")
KINDS = ("agents", "credentials", "policies", "sessions", "tags", "triggers")


@pytest.fixture
def played():
    """A demo that was played, with a session that its programs made, beside what is not its own."""
    theirs = creation.create(principal=SOMEBODY, draft=Draft(key="theirs")).session
    tags.put(principal=SOMEBODY, session=theirs, names=[words.TAG])
    agents.create(principal=SOMEBODY, draft=AgentDraft(slug="theirs", name="Theirs"))
    policy_catalogue.define(principal=SOMEBODY, slug="theirs", rules=[])
    before = in_sight()
    with demo.prepared(None):
        program = credentials.principal_of(
            Credential.objects.get(name__startswith="demo-"), transport="http"
        )
        quiet = creation.create(principal=program, draft=Draft(key="demo-metrics")).session
        tags.put(principal=program, session=quiet, names=[words.TAG])
    return before


def in_sight():
    """What there is, by model: hidden sessions take theirs along, revoked credentials are over."""
    for there_always in (assistant, policies.ready, tags_reading.ready):
        there_always()
    hidden = set(Session.objects.exclude(deleted_at=None).values_list("pk", flat=True))
    models = [one for one in apps.get_models() if one._meta.app_label in MINE]
    return {
        model.__name__: {row.pk for row in model._default_manager.all() if not is_gone(row, hidden)}
        for model in models
    }


MINE = ("aegis_sessions", "aegis_components")


def is_gone(row, hidden):
    if isinstance(row, Credential) and row.revoked_at is not None:
        return True
    return row.pk in hidden or getattr(row, "session_id", None) in hidden


def test_demo_brings_agents_a_policy_and_triggers():
    with demo.prepared(None, Pace(speed=4)) as shown:
        wakes = Trigger.objects.filter(session=shown.session).values_list("agent__slug", "pattern")
        policy = Policy.objects.get(slug=demo_company.POLICY)
        paces = Agent.objects.filter(policy=policy).values_list("settings", flat=True)

        assert sorted(wakes) == sorted((one.slug, one.topic) for one in PARTS if one.topic)
        assert [rule.get("seconds") for rule in policy.rules] == [None, None, 30, 30]
        assert list(paces) == [{"pause_seconds": 0.03}] * len(PARTS)


def test_second_demo_at_another_speed_changes_what_is_there():
    with demo.prepared(None):
        pass
    before = in_sight()

    with demo.prepared(None, Pace(speed=120)):
        pass

    assert in_sight() == before
    assert Policy.objects.get(slug=demo_company.POLICY).rules[-1]["seconds"] == 1
    assert Agent.objects.get(slug=words.AUDIT).settings == {"pause_seconds": 0.001}


def test_reset_leaves_what_was_there_before(played, aegis):
    made = json.loads(aegis("demo", "reset", "--yes", "--json").out)["data"]

    assert in_sight() == played
    assert sorted({one["kind"] for one in made} | {"credentials"}) == list(KINDS)
    assert [one["name"] for one in made if one["kind"] == "sessions"] == [
        "btc-flash-dip",
        "demo-metrics",
    ]
    assert Session.objects.get(key="theirs").tags == ["demo"]
    assert json.loads(aegis("demo", "status", "--json").out)["data"] == []


def test_reset_is_shown_without_being_done(played, aegis):
    before = in_sight()

    shown = json.loads(aegis("demo", "reset", "--dry-run", "--json").out)

    assert shown["meta"] == {"count": len(shown["data"]), "dry_run": True}
    assert shown["data"] == json.loads(aegis("demo", "status", "--json").out)["data"]
    assert in_sight() == before


def test_reset_asks_before_it_removes(played, aegis):
    before = in_sight()

    assert aegis("demo", "reset").code == 2
    assert in_sight() == before


def test_demo_after_a_reset_is_as_the_first(played):
    demo_reset.remove(demo_reset.found())

    with demo.prepared(None) as shown:
        assert shown.session.key == "btc-flash-dip"
        assert len(demo_reset.found().agents) == len(PARTS)


def test_chat_of_an_earlier_run_is_found_again():
    assert demo_reset.chat() == ""
    chat = creation.create(principal=PRINCIPAL, draft=Draft(kind=Kind.CHAT)).session
    tags.put(principal=PRINCIPAL, session=chat, names=[words.TAG])

    assert demo_reset.chat() == str(chat.pk)


@pytest.mark.parametrize("kind", ["agent", "policy"])
def test_name_that_somebody_else_has_is_left_to_them(kind):
    if kind == "agent":
        agents.create(principal=SOMEBODY, draft=AgentDraft(slug=words.AUDIT, name="Mine"))
    else:
        policy_catalogue.define(principal=SOMEBODY, slug=demo_company.POLICY, rules=[])
    before = in_sight()

    with pytest.raises(CannotServe, match="not the demo's"), demo.prepared(None):
        pass

    assert in_sight() == before
    assert demo_reset.found().words()[f"{kind}s" if kind == "agent" else "policies"] == []


def test_replay_and_its_folder_belong_together(aegis):
    assert aegis("demo", "--scenario", "replay").code == 2
