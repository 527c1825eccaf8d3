"""Reading what was done in two sessions, to put it side by side."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from aegis_project.kit.principal import Principal
from sessions.core import keys, sidebyside
from sessions.core.sidebyside import Pair, Step
from sessions.models import Message, Session, ToolCall
from sessions.selectors import effects, sessions, timeline
from streaming.models import Event

# What is shown: events, with the texts and the calls that they only point to.
SCOPES = ("events:read", "messages:read", "runs:read")
MOST = 2000
"""So many steps of each are compared, from where they have the same past on."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: what was done in it, after which position, and its events by position."""

    session: Session
    after: int
    steps: Sequence[Step]
    events: dict[int, Event]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both, the original first where one was made of the other, and how far they are the same."""

    left: Side
    right: Side
    pairs: list[Pair]
    common: int

    @property
    def is_same(self) -> bool:
        """Whether nothing differs of what is compared."""
        return self.common == len(self.pairs)


def may(principal: Principal) -> bool:
    """Whether somebody may read all that is compared."""
    return all(principal.allows(one) for one in SCOPES)


def check(principal: Principal) -> None:
    """
    Go on only with the right to read all that is compared.

    :raises PermissionDenied: without the scopes
    """
    for one in SCOPES:
        principal.require(one)


def compare(principal: Principal, session: Session, other: Session) -> Comparison:
    """
    What was done in two sessions, from where a fork begins if one is the fork of the other.

    :raises PermissionDenied: without the scopes
    """
    check(principal)
    left, right = (session, other) if other.parent_id == session.pk else (other, session)
    fork = effects.of(right.pk)
    after = fork.seq if fork is not None and fork.parent_id == left.pk else 0
    sides = _side(left, after=after), _side(right, after=0)
    steps = [one.steps for one in sides]
    return Comparison(*sides, sidebyside.pairs(*steps), sidebyside.common(*steps))


def other_of(principal: Principal, session: Session, reference: str) -> Session | None:
    """
    The session that a reference names; without one the one that this was made of, if it is there.

    :raises PermissionDenied: without the scopes
    :raises SessionNotFound: for a reference that nothing answers to
    :raises AmbiguousReference: for one that several answer to
    """
    check(principal)
    if reference:
        return sessions.resolve(principal, reference)
    if session.parent_id is None:
        return None
    return sessions.visible(principal).filter(pk=session.parent_id).first()


def _side(session: Session, *, after: int) -> Side:
    wanted = Q()
    for family in sidebyside.FAMILIES:
        wanted |= Q(type__startswith=f"{family}.")
    rows = timeline.of_session(session.pk).filter(wanted, seq__gt=after)
    rows = rows.exclude(type__in=sidebyside.ASIDE).order_by("seq")
    found = list(rows[: MOST + 1])
    events = found[:MOST]
    return Side(
        session=session,
        after=after,
        steps=_steps(events),
        events={one.seq: one for one in events},
        is_cut=len(found) > MOST,
    )


def _steps(events: Iterable[Event]) -> list[Step]:
    read = [(one, timeline.data(one)) for one in events]
    calls = _calls({data.get("tool_call") for _, data in read})
    texts = _texts({data.get("message") for one, data in read if one.type == "message.created"})
    return [
        sidebyside.step(one.seq, one.type, {**data, **_more(one.type, data, calls, texts)})
        for one, data in read
    ]


def _more(
    event_type: str, data: dict[str, Any], calls: dict[str, Any], texts: dict[str, str]
) -> dict[str, Any]:
    """What an event only points to: the arguments and result of a call, the text of a message."""
    call = calls.get(str(data.get("tool_call")))
    match event_type:
        case "tool_call.pending" if call:
            return {"arguments": call[0]}
        case "tool_call.completed" if call:
            return {"result": call[1]}
        case "message.created":
            return {"sha256": texts.get(str(data.get("message")), "")}
    return {}


def _calls(ids: set[Any]) -> dict[str, tuple[Any, Any]]:
    rows = ToolCall.objects.filter(pk__in=_uuids(ids))
    found = rows.values_list("pk", "arguments", "result")
    return {str(pk): (arguments, result) for pk, arguments, result in found}


def _texts(ids: set[Any]) -> dict[str, str]:
    rows = Message.objects.filter(pk__in=_uuids(ids)).values_list("pk", "content")
    return {str(pk): hashlib.sha256(text.encode()).hexdigest() for pk, text in rows}


def _uuids(ids: set[Any]) -> list[UUID]:
    return [uuid for one in ids if (uuid := keys.as_uuid(str(one)))]
