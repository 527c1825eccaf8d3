import pytest

from sessions.core.policy import Remember
from sessions.models import Policy
from sessions.services import approvals
from tests import asking, factories
from tests.calling import Caller, caller, code

pytestmark = pytest.mark.django_db

POLICIES, GRANTS = "/api/v1/policies", "/api/v1/grants"
RULES = [
    {
        "name": "large",
        "verdict": "deny",
        "tool": "orders.*",
        "arguments": [{"path": "quantity", "op": "gt", "value": 100}],
    },
    {"verdict": "auto", "risk": ["safe", "low"]},
]


def made(program: Caller, **said):
    answer = program.post(POLICIES, {"slug": "desk", "rules": RULES, "team": "default", **said})
    assert answer.status_code == 201, answer.content
    return answer


def test_a_policy_is_made_read_changed_and_removed(program: Caller):
    answer = made(program)
    document = answer.json()

    changed = program.patch(f"{POLICIES}/desk", {"rules": RULES[:1]}, if_match='"1"')
    stale = program.patch(f"{POLICIES}/desk", {"name": "x"}, if_match='"1"')
    removed = program.delete(f"{POLICIES}/desk")

    assert (document["slug"], document["rules"], document["team"], document["version"]) == (
        "desk",
        RULES,
        "default",
        1,
    )
    assert (changed.json()["rules"], changed.json()["version"]) == (RULES[:1], 2)
    assert code(stale) == (412, "PRECONDITION_FAILED")
    assert removed.status_code == 204
    assert code(program.get(f"{POLICIES}/desk")) == (404, "POLICY_NOT_FOUND")


def test_the_ready_policies_are_listed_and_do_not_change(program: Caller):
    listed = program.get(POLICIES).json()["data"]

    assert {one["slug"] for one in listed} == {"auto", "manual"}
    assert code(program.patch(f"{POLICIES}/auto", {"rules": []})) == (403, "PERMISSION_DENIED")
    assert code(program.delete(f"{POLICIES}/manual")) == (403, "PERMISSION_DENIED")


def test_rules_that_cannot_be_are_refused_by_place(program: Caller):
    rules = [{"verdict": "auto"}, {"verdict": "deny", "arguments": [{"path": "a", "op": "x"}]}]

    answer = program.post(POLICIES, {"slug": "desk", "rules": rules, "team": "default"})

    assert code(answer) == (400, "VALIDATION_ERROR")
    assert answer.json()["error"]["details"]["fields"] == ["rules[1].arguments[0].op"]


def test_a_policy_needs_a_name_of_its_own(program: Caller):
    made(program)

    assert code(program.post(POLICIES, {"slug": "desk", "rules": [], "team": "default"})) == (
        409,
        "POLICY_ALREADY_EXISTS",
    )
    assert code(program.post(POLICIES, {"slug": "try", "rules": [], "team": "default"})) == (
        400,
        "VALIDATION_ERROR",
    )


def test_what_holds_for_everybody_is_for_whoever_sees_everybody(program: Caller):
    Policy.objects.create(slug="all", rules=[])

    assert code(program.post(POLICIES, {"slug": "desk", "rules": []})) == (
        403,
        "PERMISSION_DENIED",
    )
    assert program.get(f"{POLICIES}/all").status_code == 200
    assert code(program.patch(f"{POLICIES}/all", {"rules": []})) == (403, "PERMISSION_DENIED")


def test_a_policy_that_an_agent_goes_by_is_not_removed(program: Caller):
    made(program)
    asking.agent(policy=Policy.objects.get(slug="desk"))

    answer = program.delete(f"{POLICIES}/desk")

    assert code(answer) == (409, "POLICY_IN_USE")
    assert answer.json()["error"]["details"] == {"agents": ["trader"]}


@pytest.mark.parametrize(
    ("call", "verdict", "rule"),
    [
        ({"arguments": {"quantity": 101}, "policies": ["desk"]}, "deny", "desk/large"),
        ({"arguments": {"quantity": 5}, "risk": "low", "policies": ["desk"]}, "auto", "desk/2"),
        ({"policies": ["desk", "manual"]}, "approve", "manual/everything"),
        ({"rules": [{"verdict": "notify"}]}, "notify", "draft/1"),
        ({"risk": "safe"}, "auto", "default/safe"),
        ({"risk": "safe", "environment": "production"}, "approve", "default/ask"),
        ({"risk": "safe", "always_ask": True}, "approve", "tool/always-ask"),
    ],
)
def test_what_would_happen_with_a_call_is_told(program: Caller, call, verdict, rule):
    made(program)

    answer = program.post(f"{POLICIES}/try", {"tool": "orders.place", **call}).json()

    assert (answer["verdict"], answer["rule"]) == (verdict, rule)


def test_a_rule_from_a_decision_is_listed_and_taken_back(program: Caller):
    run = asking.run(factories.session())
    decided = approvals.decide(
        principal=factories.OPERATOR,
        approval=asking.approval(run),
        approved=True,
        remember=Remember(scope="agent"),
    )
    assert decided.grant is not None
    address = f"{GRANTS}/{decided.grant.pk}"

    before = program.get(GRANTS).json()["data"]
    answer = program.delete(address)
    after = program.get(address).json()

    assert [(one["agent"], one["environment"], one["tool"]) for one in before] == [
        ("trader", "development", "orders.place")
    ]
    assert (before[0]["run"], before[0]["session"], before[0]["revoked_at"]) == (None, None, None)
    assert answer.status_code == 204
    assert after["revoked_at"] is not None
    assert code(caller(team="others").get(address)) == (404, "GRANT_NOT_FOUND")


def test_policies_need_their_scopes(program: Caller):
    made(program)
    reader = caller(["policies:read"])

    assert reader.get(f"{POLICIES}/desk").status_code == 200
    assert code(reader.patch(f"{POLICIES}/desk", {"rules": []})) == (403, "PERMISSION_DENIED")
    assert code(caller(["sessions:read"]).get(POLICIES)) == (403, "PERMISSION_DENIED")
