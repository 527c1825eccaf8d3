"""The branches of a conversation: which messages follow which."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID


class Node(NamedTuple):
    """A message in the tree of its session: the one it follows, and its place."""

    id: UUID
    parent: UUID | None
    place: int


def path(nodes: Iterable[Node], through: UUID) -> list[UUID]:
    """
    The branch that a message is on, from its first message to its last.

    Before it there is one way only; behind it, where a message has several that follow it, the
    newest is taken.
    """
    known = {node.id: node for node in nodes}
    followers: dict[UUID | None, list[Node]] = defaultdict(list)
    for node in known.values():
        followers[node.parent].append(node)
    return [*_upwards(known, through), *_downwards(followers, through)]


def _upwards(known: dict[UUID, Node], through: UUID) -> list[UUID]:
    found: list[UUID] = []
    at: UUID | None = through
    # A parent that was removed ends the way as a first message does.
    while at is not None and at in known:
        found.append(at)
        at = known[at].parent
    return found[::-1]


def _downwards(followers: dict[UUID | None, list[Node]], through: UUID) -> list[UUID]:
    found: list[UUID] = []
    at = through
    while following := followers[at]:
        at = max(following, key=lambda node: node.place).id
        found.append(at)
    return found
