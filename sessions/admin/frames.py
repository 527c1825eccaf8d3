"""What a page may say on its live socket."""

from typing import Any
from uuid import UUID

from aegis_project.kit import strict
from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.admin import events, panels
from sessions.admin.feeds import MAX_ROWS, ComponentsFeed, Feed, LedgerFeed, PartsFeed, SessionsFeed
from sessions.admin.tails import TailFeed, TopicsFeed

MAX_BYTES = 16 * 1024
LARGEST = 2**53

Frame = dict[str, Any]


def decode(raw: str | bytes) -> Frame:
    """
    One frame of a page.

    :raises ValidationFailed: unless it is a JSON object with a ``type`` that is known here
    :raises PayloadTooLarge: above 16 KiB
    """
    frame = strict.decode(raw, max_bytes=MAX_BYTES)
    if not isinstance(frame, dict) or frame.get("type") not in {*FEEDS, "untail"}:
        raise ValidationFailed("This frame is not one of a live page.")
    return frame


def feed(principal: Principal, frame: Frame) -> Feed:
    """
    The feed that a subscription asks for.

    :raises ValidationFailed: for a subscription that is not well-formed
    :raises PermissionDenied: without the scope that it needs
    """
    return FEEDS[frame["type"]](principal, frame)


def _parts(principal: Principal, frame: Frame) -> Feed:
    tab = _word(frame, "tab", panels.TABS)
    return PartsFeed(principal, session_id=_id(frame.get("id")), tab=tab)


def _ledger(principal: Principal, frame: Frame) -> Feed:
    show = _word(frame, "show", events.SHOWS)
    after = _number(frame.get("after"))
    return LedgerFeed(principal, session_id=_id(frame.get("id")), show=show, after=after)


def _topics(principal: Principal, frame: Frame) -> Feed:
    return TopicsFeed(principal, session_id=_id(frame.get("id")))


def _tail(principal: Principal, frame: Frame) -> Feed:
    after = frame.get("after")
    topic = frame.get("topic")
    if not isinstance(topic, str) or not (after is None or isinstance(after, dict)):
        raise ValidationFailed("A tail needs a topic, and may name a position.")
    known = (str(after.get("epoch", "")), _number(after.get("seq"))) if after else None
    return TailFeed(principal, session_id=_id(frame.get("id")), topic=topic, after=known)


def _sessions(principal: Principal, frame: Frame) -> Feed:
    return SessionsFeed(principal, ids=_ids(frame))


def _components(principal: Principal, frame: Frame) -> Feed:
    return ComponentsFeed(principal, ids=_ids(frame))


FEEDS = {
    "session": _parts,
    "ledger": _ledger,
    "topics": _topics,
    "tail": _tail,
    "sessions": _sessions,
    "components": _components,
}


def _ids(frame: Frame) -> list[UUID]:
    ids = frame.get("ids")
    if not isinstance(ids, list) or len(ids) > MAX_ROWS:
        raise ValidationFailed(f"ids is a list of at most {MAX_ROWS} ids.")
    return [_id(one) for one in ids]


def _id(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise ValidationFailed("An id is a UUID.") from None


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST:
        raise ValidationFailed("A position is a number from 0 on.")
    return value


def _word(frame: Frame, name: str, words: Any) -> str:
    word = frame.get(name)
    if word not in words:
        raise ValidationFailed(f"{name} is one of: {', '.join(words)}.")
    return str(word)
