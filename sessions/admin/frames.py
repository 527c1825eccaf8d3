"""What a page may say on its live socket."""

from typing import Any
from uuid import UUID

from aegis_project.kit import strict
from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.admin import events, panels
from sessions.admin.approval_feeds import ApprovalsFeed, CardFeed, InboxFeed, WaitingFeed
from sessions.admin.conversation_feed import ConversationFeed
from sessions.admin.dashboard_feed import DashboardFeed
from sessions.admin.feeds import (
    MAX_ROWS,
    ComponentFeed,
    ComponentsFeed,
    Feed,
    LedgerFeed,
    PartsFeed,
    SessionsFeed,
)
from sessions.admin.lanes_feed import LanesFeed
from sessions.admin.monitor import VIEWS
from sessions.admin.monitor_feed import MonitorFeed
from sessions.admin.tails import MODES, TailFeed
from sessions.admin.topic_feed import TopicFeed
from sessions.admin.topics_feed import TopicsFeed

MAX_BYTES = 16 * 1024
LARGEST = 2**53
MAX_TEXT = 200
SLOTS = ("a", "b")

Frame = dict[str, Any]


def decode(raw: str | bytes) -> Frame:
    """
    One frame of a page.

    :raises ValidationFailed: unless it is a JSON object with a ``type`` that is known here
    :raises PayloadTooLarge: above 16 KiB
    """
    decoded = strict.decode(raw, max_bytes=MAX_BYTES)
    frame: Frame = decoded if isinstance(decoded, dict) else {}
    kind = frame.get("type")
    if not isinstance(kind, str) or kind not in {*FEEDS, "untail"}:
        raise ValidationFailed("This frame is not one of a live page.")
    return frame


def name(frame: Frame) -> str:
    """What a subscription is called on its socket: its type, of a tail with its slot."""
    kind = str(frame["type"]).removeprefix("un")
    return f"{kind}.{slot(frame)}" if kind == "tail" else kind


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


def _lanes(principal: Principal, frame: Frame) -> Feed:
    return LanesFeed(principal, session_id=_id(frame.get("id")))


def _conversation(principal: Principal, frame: Frame) -> Feed:
    return ConversationFeed(principal, session_id=_id(frame.get("id")))


def _topics(principal: Principal, frame: Frame) -> Feed:
    return TopicsFeed(principal, session_id=_id(frame.get("id")))


def _tail(principal: Principal, frame: Frame) -> Feed:
    after = frame.get("after")
    topic = frame.get("topic")
    if not isinstance(topic, str) or not (after is None or isinstance(after, dict)):
        raise ValidationFailed("A tail needs a topic, and may name a position.")
    known = (str(after.get("epoch", "")), _number(after.get("seq"))) if after else None
    return TailFeed(
        principal,
        session_id=_id(frame.get("id")),
        topic=topic,
        after=known,
        slot=slot(frame),
        mode=_word({"mode": "sampled", **frame}, "mode", MODES),
    )


def _topic(principal: Principal, frame: Frame) -> Feed:
    return TopicFeed(principal, session_id=_id(frame.get("id")), topic=_text(frame, "topic"))


def slot(frame: Frame) -> str:
    """
    Which of its two tails a page means; the first if it does not say.

    :raises ValidationFailed: for any other
    """
    return _word({"slot": SLOTS[0], **frame}, "slot", SLOTS)


def _monitor(principal: Principal, frame: Frame) -> Feed:
    ids = frame.get("ids")
    if not isinstance(ids, list) or len(ids) > MAX_ROWS:
        raise ValidationFailed(f"ids is a list of at most {MAX_ROWS} rows.")
    session = _text(frame, "session")
    query = {"q": _text(frame, "q"), "session": session and str(_id(session))}
    return MonitorFeed(
        principal,
        ids=[_number(one) for one in ids],
        view=_word(frame, "view", VIEWS),
        query=query,
    )


def _sessions(principal: Principal, frame: Frame) -> Feed:
    return SessionsFeed(principal, ids=_ids(frame))


def _components(principal: Principal, frame: Frame) -> Feed:
    return ComponentsFeed(principal, ids=_ids(frame))


def _component(principal: Principal, frame: Frame) -> Feed:
    return ComponentFeed(principal, component_id=_id(frame.get("id")))


def _waiting(principal: Principal, _frame: Frame) -> Feed:
    return WaitingFeed(principal)


def _approvals(principal: Principal, frame: Frame) -> Feed:
    return ApprovalsFeed(principal, ids=_ids(frame))


def _inbox(principal: Principal, _frame: Frame) -> Feed:
    return InboxFeed(principal)


def _approval(principal: Principal, frame: Frame) -> Feed:
    return CardFeed(principal, approval_id=_id(frame.get("id")))


def _dashboard(principal: Principal, _frame: Frame) -> Feed:
    return DashboardFeed(principal)


FEEDS = {
    "dashboard": _dashboard,
    "session": _parts,
    "ledger": _ledger,
    "lanes": _lanes,
    "conversation": _conversation,
    "topics": _topics,
    "tail": _tail,
    "sessions": _sessions,
    "components": _components,
    "component": _component,
    "monitor": _monitor,
    "topic": _topic,
    "waiting": _waiting,
    "approvals": _approvals,
    "inbox": _inbox,
    "approval": _approval,
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
    if not isinstance(word, str) or word not in words:
        raise ValidationFailed(f"{name} is one of: {', '.join(words)}.")
    return word


def _text(frame: Frame, name: str) -> str:
    text = frame.get(name, "")
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise ValidationFailed(f"{name} is a text of at most {MAX_TEXT} characters.")
    return text
