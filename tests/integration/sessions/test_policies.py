from datetime import timedelta

import msgspec
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from aegis_project import database
from aegis_project.kit.errors import PermissionDenied, ValidationFailed
from components import auth
from sessions.core.errors import GrantNotFound, PolicyNotFound
from sessions.core.lifecycle import Environment
from sessions.core.policy import Remember, Verdict, Who
from sessions.core.tool_calls import Risk
from sessions.models import Approval, Grant, Policy, Run
from sessions.selectors import policies as reading
from sessions.services import policies
from tests import asking, factories
from tests.asking import Asking, Spec

pytestmark = pytest.mark.django_db

ORDER = Asking()
ANYONE = Verdict(kind="approve", rule="default/ask", parameters=asking.FORM)


def kind(run: Run, spec: Spec | None = None) -> tuple[str, str]:
    verdict = policies.judge(run, ORDER, spec or Spec())
    return verdict.kind, verdict.rule


@pytest.mark.parametrize(
    ("config", "environment", "risk", "expected"),
    [
        ({}, Environment.DEVELOPMENT, Risk.SAFE, ("auto", "default/safe")),
        ({}, Environment.DEVELOPMENT, Risk.LOW, ("approve", "default/ask")),
        ({}, Environment.PRODUCTION, Risk.SAFE, ("approve", "default/ask")),
        ({"approval_mode": "auto"}, Environment.PRODUCTION, Risk.HIGH, ("auto", "auto/everything")),
        (
            {"approval_mode": "manual"},
            Environment.DEVELOPMENT,
            Risk.SAFE,
            ("approve", "manual/everything"),
        ),
        (
            {"policy": "nowhere", "approval_mode": "auto"},
            Environment.DEVELOPMENT,
            Risk.SAFE,
            ("approve", "nowhere/everything"),
        ),
    ],
)
def test_config_of_a_session_selects_its_policy(config, environment, risk, expected):
    run = asking.run(factories.session(config=config, environment=environment))

    assert kind(run, Spec(risk=risk)) == expected


def test_verdict_carries_the_form_of_the_arguments():
    run = asking.run(factories.session())

    assert policies.judge(run, ORDER, Spec()) == ANYONE


def test_tool_that_always_asks_does_so_in_auto_mode():
    run = asking.run(factories.session(config={"approval_mode": "auto"}))

    assert kind(run, Spec(risk=Risk.SAFE, always_ask=True)) == ("approve", "tool/always-ask")


def test_policy_of_the_agent_is_not_loosened_by_the_session():
    strict = Policy.objects.create(
        slug="strict",
        rules=[
            {"verdict": "deny", "arguments": [{"path": "quantity", "op": "gt", "value": 50}]},
            {"verdict": "approve", "risk": ["high"]},
        ],
    )
    agent = asking.agent(policy=strict)
    run = asking.run(factories.session(config={"approval_mode": "auto"}), of=agent)

    assert kind(run, Spec(risk=Risk.HIGH)) == ("approve", "strict/2")
    assert kind(run, Spec(risk=Risk.LOW)) == ("auto", "auto/everything")
    large = Asking(arguments={"symbol": "BTC", "quantity": 51})
    assert policies.judge(run, large, Spec()).rule == "strict/1"


def test_policy_of_another_team_is_none_of_a_session():
    Policy.objects.create(slug="theirs", rules=[{"verdict": "auto"}], team=factories.team("others"))
    run = asking.run(factories.session(config={"policy": "theirs"}))

    assert kind(run) == ("approve", "theirs/everything")


def remembered(
    run: Run, *, scope: str, approved: bool = True, by=factories.OPERATOR, **order
) -> Grant:
    with database.atomic():
        return policies.remember(
            asking.approval(run),
            msgspec.convert({"scope": scope, **order}, Remember),
            verdict="auto" if approved else "deny",
            principal=by,
            run=run,
        )


@pytest.mark.parametrize(
    ("scope", "of_next_run", "of_next_session"),
    [("run", False, False), ("session", True, False), ("agent", True, True)],
)
def test_rule_from_a_decision_holds_exactly_in_its_scope(scope, of_next_run, of_next_session):
    session = factories.session()
    run, other = asking.run(session), asking.run(session)
    elsewhere = asking.run(factories.session())
    in_production = asking.run(factories.session(environment=Environment.PRODUCTION))
    of_others = asking.run(factories.session(team=factories.team("others").name))

    grant = remembered(run, scope=scope)

    by_grant = ("auto", f"grant/{grant.pk}")
    assert kind(run) == by_grant
    assert (kind(other) == by_grant) is of_next_run
    assert (kind(elsewhere) == by_grant) is of_next_session
    assert kind(in_production) == kind(of_others) == ("approve", "default/ask")
    assert policies.judge(run, Asking(tool="orders.cancel"), Spec()) == ANYONE


def test_rule_from_a_decision_ends_when_it_was_said_to():
    run = asking.run(factories.session())
    grant = remembered(run, scope="session", until=timezone.now() + timedelta(minutes=5))
    assert kind(run)[0] == "auto"

    Grant.objects.filter(pk=grant.pk).update(until=timezone.now())

    assert kind(run) == ("approve", "default/ask")


def test_rule_from_a_decision_holds_under_its_conditions():
    run = asking.run(factories.session())
    remembered(run, scope="run", conditions=[{"path": "quantity", "op": "le", "value": 5}])

    assert kind(run)[0] == "auto"
    more = Asking(arguments={"symbol": "BTC", "quantity": 6})
    assert policies.judge(run, more, Spec()) == ANYONE


def test_rule_from_a_rejection_denies():
    run = asking.run(factories.session(config={"approval_mode": "auto"}))

    grant = remembered(run, scope="run", approved=False)

    assert kind(run) == ("deny", f"grant/{grant.pk}")


def test_rule_from_a_decision_lets_nothing_by_that_is_denied_or_always_asks():
    run = asking.run(factories.session())
    remembered(run, scope="session")
    denied = Policy.objects.create(slug="never", rules=[{"verdict": "deny"}])

    assert kind(run, Spec(always_ask=True))[0] == "approve"
    asking.agent(policy=denied)
    run = Run.objects.get()
    assert kind(run) == ("deny", "never/1")


def test_nobody_lets_their_own_run_by_where_four_eyes_are_needed():
    four_eyes = Policy.objects.create(
        slug="four", rules=[{"verdict": "approve", "who": {"four_eyes": True}}]
    )
    session = factories.session(config={"policy": four_eyes.slug})
    ana = factories.member(session.team, label="ana")
    ben = factories.member(session.team, label="ben")
    of_ana, of_ben = asking.run(session, by=ana), asking.run(session, by=ben)

    grant = remembered(of_ana, scope="session", by=ben)

    assert kind(of_ana) == ("auto", f"grant/{grant.pk}")
    assert kind(of_ben) == ("approve", "four/1")


def test_nobody_lets_their_own_run_by_under_another_name():
    Policy.objects.create(slug="four", rules=[{"verdict": "approve", "who": {"four_eyes": True}}])
    session = factories.session(config={"policy": "four"})
    ana = User.objects.create_user("ana", is_superuser=True)
    run = asking.run(session, by=auth.of_user(ana, transport="test"))
    grant = remembered(run, scope="session", by=factories.member(session.team, label="ana (cli)"))
    Approval.objects.filter(grants=grant).update(decider=ana)

    assert kind(run) == ("approve", "four/1")


@pytest.mark.parametrize(
    ("who", "order"),
    [
        (Who(remember=False), Remember(scope="run")),
        (Who(), Remember(scope="run", until=timezone.now() - timedelta(hours=1))),
    ],
)
def test_rule_that_cannot_be_made_is_refused(who, order):
    run = asking.run(factories.session())
    approval = asking.approval(run, who=who)

    with pytest.raises(ValidationFailed):
        policies.remember(approval, order, verdict="auto", principal=factories.OPERATOR, run=run)

    assert not Grant.objects.exists()


def test_rule_of_an_agent_needs_whoever_may_write_policies():
    session = factories.session()
    approver = factories.member(session.team, scopes=["approvals:decide"])
    run = asking.run(session)

    with pytest.raises(PermissionDenied):
        remembered(run, scope="agent", by=approver)

    assert remembered(run, scope="session", by=approver).session == session


def test_rule_from_a_decision_is_told_and_taken_back():
    session = factories.session()
    run = asking.run(session)
    grant = remembered(run, scope="session")
    approval = Approval.objects.get()

    policies.revoke(principal=factories.OPERATOR, grant=grant.pk)
    policies.revoke(principal=factories.OPERATOR, grant=grant.pk)

    assert kind(run)[0] == "approve"
    assert factories.told(session)[-2:] == [
        (
            "policy.granted",
            {
                "grant": str(grant.pk),
                "approval": str(approval.pk),
                "scope": "session",
                "tool": "orders.place",
                "verdict": "auto",
                "until": None,
                "by": "user:operator",
            },
        ),
        (
            "policy.revoked",
            {"grant": str(grant.pk), "tool": "orders.place", "by": "user:operator"},
        ),
    ]


def test_rule_of_another_team_does_not_exist():
    grant = remembered(asking.run(factories.session()), scope="session")
    stranger = factories.member(factories.team("others"))

    with pytest.raises(GrantNotFound):
        policies.revoke(principal=stranger, grant=grant.pk)


def test_ready_policies_are_there_once():
    reading.ready()
    reading.ready()

    found = list(Policy.objects.order_by("slug").values_list("slug", "is_system"))
    assert found == [("auto", True), ("manual", True)]


def test_policy_is_read_by_its_team_only():
    own = Policy.objects.create(slug="own", rules=[], team=factories.team("desk"))
    insider = factories.member(factories.team("desk"))
    stranger = factories.member(factories.team("others"))

    assert reading.find(insider, "own") == own
    assert reading.find(stranger, "auto").is_system
    for slug in ("own", "nowhere", "\x00"):
        with pytest.raises(PolicyNotFound):
            reading.find(stranger, slug)
