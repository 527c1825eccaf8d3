from typing import Any

import pytest

from aegis_project.kit.errors import ValidationFailed
from sessions.core import checkpoints
from sessions.core.checkpoints import Change, Moment, Rules


@pytest.mark.parametrize(
    ("config", "rules"),
    [
        ({}, Rules(True, 20)),
        ({"checkpoints": {}}, Rules(True, 20)),
        ({"checkpoints": {"automatic": False}}, Rules(False, 20)),
        ({"checkpoints": {"keep": 200}}, Rules(True, 200)),
    ],
)
def test_rules_are_read(config: dict[str, Any], rules: Rules):
    assert checkpoints.rules(config) == checkpoints.rules_kept(config) == rules


@pytest.mark.parametrize(
    "said",
    [
        [],
        "often",
        {"kept": 1},
        {"automatic": 1},
        {"keep": "3"},
        {"keep": True},
        {"keep": 0},
        {"keep": 201},
    ],
)
def test_rules_that_cannot_be_are_refused_and_count_for_none(said: Any):
    with pytest.raises(ValidationFailed):
        checkpoints.rules({"checkpoints": said})
    assert checkpoints.rules_kept({"checkpoints": said}) == Rules()


def test_equal_content_is_written_alike():
    one = checkpoints.written({"b": 1.0, "a": {"y": "ü", "x": [True, None]}})
    other = checkpoints.written({"a": {"x": [True, None], "y": "ü"}, "b": 1})

    assert one == other == '{"a":{"x":[true,null],"y":"ü"},"b":1}'
    assert checkpoints.digest(one) == checkpoints.digest(other)
    assert len(checkpoints.digest(one)) == 64


def test_changes_are_told_by_name():
    before = {"same": {"a": [1]}, "gone": 0, "null": None, "kind": 1, "moved": 1}
    after = {"same": {"a": [1.0]}, "new": None, "null": None, "kind": True, "moved": 2}

    assert checkpoints.changes(before, after) == [
        Change("gone", 0, None),
        Change("kind", 1, True),
        Change("moved", 1, 2),
        Change("new", None, None),
    ]


def test_the_words_of_seed_004_are_of_moments():
    assert set(checkpoints.WORDS) <= set(Moment)


def test_old_ones_are_let_go_of_at_a_pause_and_at_some_starts_of_runs():
    rules = Rules(keep=6)

    trimmed = [
        run for run in range(1, 10) if checkpoints.is_trimmed_at(Moment.RUN_START, run, rules)
    ]

    assert trimmed == [3, 6, 9]
    assert checkpoints.is_trimmed_at(Moment.RUN_START, 7, Rules(keep=1))
    assert checkpoints.is_trimmed_at(Moment.PAUSE, 0, rules)
    assert not checkpoints.is_trimmed_at(Moment.RUN_END, 6, rules)
