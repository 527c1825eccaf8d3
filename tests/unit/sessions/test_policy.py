from typing import Any

import msgspec
import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import policy
from sessions.core.freshness import Guard
from sessions.core.lifecycle import Environment
from sessions.core.policy import Facts, Verdict, Who
from sessions.core.tool_calls import Risk


def facts(**said: Any) -> Facts:
    known: dict[str, Any] = {
        "tool": "orders.place",
        "arguments": {"quantity": 5, "legs": [{"qty": 1}, {"qty": 9}]},
        "risk": Risk.MEDIUM,
        "agent": "trader",
        "user": "user:ana",
        "environment": Environment.DEVELOPMENT,
        "cost": 0.5,
    }
    return Facts(**known | said)


def kind_of(rule: dict[str, Any], **said) -> str | None:
    found = policy.judge(policy.read([{"verdict": "deny"} | rule]), facts(**said), policy="p")
    return found.kind if found else None


@pytest.mark.parametrize(
    ("rule", "said", "kind"),
    [
        ({}, {}, "deny"),
        ({"tool": "orders.*"}, {}, "deny"),
        ({"tool": ["notes.*", "orders.place"]}, {}, "deny"),
        ({"tool": "notes.*"}, {}, None),
        ({"agent": "tra*"}, {}, "deny"),
        ({"agent": "other"}, {}, None),
        ({"user": "ana"}, {}, "deny"),
        ({"user": "user:*"}, {}, "deny"),
        ({"user": "ben"}, {}, None),
        ({"environment": ["production"]}, {}, None),
        ({"environment": ["production", "development"]}, {}, "deny"),
        ({"risk": ["medium", "high"]}, {}, "deny"),
        ({"risk": ["high"]}, {}, None),
        ({"cost_above": 0.4}, {}, "deny"),
        ({"cost_above": 0.5}, {}, None),
        ({"arguments": [{"path": "quantity", "op": "gt", "value": 4}]}, {}, "deny"),
        (
            {
                "arguments": [
                    {"path": "quantity", "op": "gt", "value": 4},
                    {"path": "quantity", "op": "lt", "value": 5},
                ]
            },
            {},
            None,
        ),
    ],
)
def test_rule_matches_when_all_it_says_is_true(rule, said, kind):
    assert kind_of(rule, **said) == kind


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [("auto", None), ("notify", None), ("approve", "approve"), ("deny", "deny")],
)
def test_rule_lets_by_for_all_of_several_values_and_holds_for_any(verdict, kind):
    small = {"path": "legs.*.qty", "op": "lt", "value": 5}

    assert kind_of({"verdict": verdict, "arguments": [small]}) == kind


def test_first_rule_that_matches_counts_and_is_named():
    rules = policy.read(
        [
            {"verdict": "deny", "tool": "notes.*"},
            {
                "name": "large orders",
                "verdict": "approve",
                "tool": "orders.*",
                "who": {"permission": "policies:write", "four_eyes": True},
                "seconds": 60,
                "on_timeout": "approve",
                "stops_clock": True,
                "freshness": [{"topic": "book"}],
            },
            {"verdict": "auto"},
        ]
    )

    first = policy.judge(rules, facts(), policy="desk")
    last = policy.judge(rules, facts(tool="http.get"), policy="desk")

    assert first == Verdict(
        kind="approve",
        rule="desk/large orders",
        who=Who(permission="policies:write", four_eyes=True),
        seconds=60,
        on_timeout="approve",
        freshness=(Guard(topic="book"),),
        stops_clock=True,
    )
    assert last == Verdict(kind="auto", rule="desk/3")


def test_without_a_rule_there_is_no_verdict():
    assert policy.judge(policy.read([]), facts(), policy="p") is None


@pytest.mark.parametrize(
    ("risk", "environment", "expected"),
    [
        (Risk.SAFE, Environment.DEVELOPMENT, Verdict(kind="auto", rule="default/safe")),
        (Risk.SAFE, Environment.PRODUCTION, Verdict(kind="approve", rule="default/ask")),
        (Risk.LOW, Environment.TEST, Verdict(kind="approve", rule="default/ask")),
    ],
)
def test_unmatched_is_let_by_when_safe_outside_production(risk, environment, expected):
    said = facts(risk=risk, environment=environment)

    assert policy.decided([None, None], said) == expected


def test_of_several_policies_the_most_severe_counts():
    verdicts = [None, Verdict(kind="auto", rule="a/1"), Verdict(kind="deny", rule="b/1")]

    assert policy.decided(verdicts, facts()).rule == "b/1"
    assert policy.decided(verdicts[:2], facts()).rule == "a/1"


@pytest.mark.parametrize("kind", ["auto", "notify"])
def test_tool_that_always_asks_does_so_where_others_are_let_by(kind):
    found = policy.decided([Verdict(kind=kind, rule="auto/everything")], facts(always_ask=True))

    assert found == Verdict(kind="approve", rule="tool/always-ask", who=Who(remember=False))


@pytest.mark.parametrize("kind", ["approve", "deny"])
def test_tool_that_always_asks_leaves_what_is_held_anyhow(kind):
    held = Verdict(kind=kind, rule="desk/1")

    assert policy.decided([held], facts(always_ask=True)) == held


@pytest.mark.parametrize(("mode", "kind"), [("auto", "auto"), ("manual", "approve")])
@pytest.mark.parametrize("risk", list(Risk))
def test_ready_policies_are_the_approval_modes(mode, kind, risk):
    rules = policy.read(policy.READY[mode][1])

    found = policy.judge(rules, facts(risk=risk, environment=Environment.PRODUCTION), policy=mode)

    assert found == Verdict(kind=kind, rule=f"{mode}/everything")


@pytest.mark.parametrize(
    ("rules", "fields"),
    [
        ("no", ["rules"]),
        ([{"verdict": "auto"}] * 201, ["rules"]),
        ([{"verdict": "maybe"}], ["rules[0].verdict"]),
        ([{"verdict": "auto"}, {"tool": "x"}], ["rules[1]"]),
        ([{"verdict": "auto", "colour": 1}], ["rules[0]"]),
        (
            [
                {"verdict": "auto", "arguments": [{"path": "a", "op": "near", "value": 1}]},
                {"verdict": "auto", "seconds": 0},
                {"verdict": "auto", "who": {"permission": "magic"}},
            ],
            ["rules[0].arguments[0].op", "rules[1].seconds", "rules[2].who"],
        ),
        ([{"verdict": "auto", "name": "a"}, {"verdict": "deny", "name": "a"}], ["rules"]),
        ([1], ["rules[0]"]),
    ],
)
def test_rules_that_cannot_be_are_refused_by_place(rules, fields):
    with pytest.raises(ValidationFailed) as refused:
        policy.read(rules)

    assert refused.value.details["fields"] == fields


def test_rule_of_a_decision_ends_in_the_calendar():
    said = {"scope": "run", "until": "9998-12-31T00:00:00Z"}

    assert msgspec.convert(said, policy.Remember).scope == "run"
    assert msgspec.convert({"scope": "run"}, policy.Remember).until is None
    with pytest.raises(msgspec.ValidationError, match="ends before 9999"):
        msgspec.convert(said | {"until": "9999-12-31T23:59:59-14:00"}, policy.Remember)


def test_verdict_says_whether_it_lets_by():
    kinds: list[policy.Kind] = ["auto", "notify", "approve", "deny"]

    assert [Verdict(kind=kind, rule="r").lets_by for kind in kinds] == [True, True, False, False]


def test_members_of_a_stored_rule_are_told_in_one_order():
    stored = {"tool": "orders.*", "seconds": 60, "verdict": "deny"}

    assert list(policy.in_order(stored)) == ["verdict", "tool", "seconds"]
