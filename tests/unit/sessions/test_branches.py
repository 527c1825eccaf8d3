from uuid import UUID

from sessions.core import branches
from sessions.core.branches import Node


def id_(number: int) -> UUID:
    return UUID(int=number)


def node(place: int, parent: int | None) -> Node:
    return Node(id_(place), None if parent is None else id_(parent), place)


# 1 - 2 - 3, and beside 2 the branch 4 - 5, of which 6 is another end.
TREE = [node(1, None), node(2, 1), node(3, 2), node(4, 1), node(5, 4), node(6, 4)]


def test_a_branch_goes_from_its_first_message_to_its_last():
    assert branches.path(TREE, id_(2)) == [id_(1), id_(2), id_(3)]
    assert branches.path(TREE, id_(5)) == [id_(1), id_(4), id_(5)]


def test_behind_a_message_the_newest_way_is_taken():
    assert branches.path(TREE, id_(1)) == [id_(1), id_(4), id_(6)]


def test_a_message_whose_parent_is_gone_begins_its_branch():
    assert branches.path([node(2, 1), node(3, 2)], id_(3)) == [id_(2), id_(3)]
