from enum import StrEnum

import pytest

from aegis_project.kit import states
from aegis_project.kit.errors import InvalidState
from aegis_project.kit.states import Table


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    LOCKED = "locked"


DOORS: Table[Door] = {
    Door.OPEN: {"open": Door.OPEN, "shut": Door.SHUT, "slam": Door.SHUT},
    Door.SHUT: {"open": Door.OPEN, "lock": Door.LOCKED},
    Door.LOCKED: {},
}


def test_following_a_command_leads_to_the_state_of_the_table():
    assert states.follow(DOORS, Door.OPEN, "slam") is Door.SHUT


def test_a_no_op_leads_to_the_state_it_came_from():
    assert states.follow(DOORS, Door.OPEN, "open") is Door.OPEN


def test_a_command_without_an_entry_is_refused_with_what_would_be_allowed():
    with pytest.raises(InvalidState) as refusal:
        states.follow(DOORS, Door.SHUT, "slam")

    assert refusal.value.as_dict() == {
        "code": "INVALID_STATE",
        "message": "Cannot slam while shut.",
        "details": {"from": "shut", "command": "slam", "allowed": ["open", "lock"]},
    }


def test_allowed_is_empty_at_the_end():
    assert states.allowed(DOORS, Door.LOCKED) == []


def test_the_diagram_has_one_arrow_per_pair_and_no_no_ops():
    assert states.mermaid(DOORS) == (
        "stateDiagram-v2\n"
        "    open --> shut: shut, slam\n"
        "    shut --> open: open\n"
        "    shut --> locked: lock"
    )
