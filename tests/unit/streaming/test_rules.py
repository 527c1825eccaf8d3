import pytest

from aegis_project.kit.errors import ValidationFailed
from streaming.core import rules
from streaming.core.rules import DEFAULT, Keep, Rule, Rules, TapeKeep


def test_all_that_a_rule_can_say_is_read():
    said = {
        "pattern": "trades.**",
        "recorded": True,
        "retention": {"records": 5, "bytes": 2048, "age_seconds": 1.5},
        "tape": {"days": 2, "bytes": 10},
        "schema": {"type": "object"},
        "on_invalid": "quarantine",
    }

    found = rules.read([said, {"pattern": "klines.*.1m"}])

    assert found == Rules(
        (
            Rule(
                "trades.**",
                recorded=True,
                keep=Keep(records=5, bytes=2048, age_seconds=1.5),
                tape=TapeKeep(days=2, bytes=10),
                schema={"type": "object"},
                on_invalid="quarantine",
            ),
            Rule("klines.*.1m"),
        )
    )
    assert TapeKeep(days=2).seconds == 172_800


@pytest.mark.parametrize("value", [None, []])
def test_nothing_said_is_no_rules(value):
    assert rules.read(value) == Rules()


def test_first_rule_that_matches_counts():
    found = rules.read([{"pattern": "a.b", "recorded": True}, {"pattern": "**"}])

    assert found.of("a.b").recorded
    assert found.of("a.c") == Rule("**")
    assert Rules().of("a.b") == DEFAULT


def test_rule_for_everything_leaves_the_reserved_topics_alone():
    found = rules.read([{"pattern": "**", "recorded": True}])

    assert found.of("ledger") == DEFAULT


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({}, "config.topics"),
        ([{}], "config.topics[0]"),
        (["**"], "config.topics[0]"),
        ([{"pattern": "**"}] * 101, "config.topics"),
        ([{"pattern": "**"}, {"pattern": "a..b"}], "config.topics[1].pattern"),
        ([{"pattern": 1}], "config.topics[0].pattern"),
        ([{"pattern": "**", "record": True}], "config.topics[0]"),
        ([{"pattern": "**", "recorded": 1}], "config.topics[0].recorded"),
        ([{"pattern": "**", "retention": {"records": 0}}], "config.topics[0].retention.records"),
        ([{"pattern": "**", "retention": {"bytes": 1}}], "config.topics[0].retention.bytes"),
        (
            [{"pattern": "**", "retention": {"age_seconds": 0}}],
            "config.topics[0].retention.age_seconds",
        ),
        ([{"pattern": "**", "tape": {"days": -1}}], "config.topics[0].tape.days"),
        ([{"pattern": "**", "on_invalid": "drop"}], "config.topics[0].on_invalid"),
        ([{"pattern": "**", "schema": []}], "config.topics[0].schema"),
        ([{"pattern": "**", "schema": {"type": "thing"}}], "config.topics[0].schema"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(value, place):
    with pytest.raises(ValidationFailed) as refused:
        rules.read(value)

    assert refused.value.details == {"field": place}
    assert refused.value.message.startswith(f"{place}: ")
