"""What a session is of, the demo or another one's past: ribbons on its page, whatever the tab."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from aegis_project import marks
from aegis_project.kit.principal import Principal
from sessions.core import pace
from sessions.core.checkpoints import Effects
from sessions.core.flash_dip import words as demo_words
from sessions.models import Replay, Session
from sessions.selectors import comparing, effects, sessions
from sessions.services import trying

EFFECTS = {
    Effects.RECORDED: "Tools answer from the record, nothing is carried out.",
    Effects.STUB: "Nothing is carried out.",
    Effects.LIVE: "Tools are carried out, and every approval is asked anew.",
}


def of(principal: Principal, session: Session, *, now: datetime) -> dict[str, Any]:
    """What the ribbons say; of a session of its own there is nothing to say."""
    is_on_paper = trying.TAG in session.tags
    fork = effects.of(session.pk) if session.parent_id or is_on_paper else None
    replay = Replay.objects.filter(session=session).first() if session.is_historical else None
    return {
        "is_demo": is_demo(session),
        "fork": fork,
        "said": EFFECTS[Effects(fork.effects)] if fork else "",
        "replay": _replay(replay, now=now) if replay else None,
        "parent": _parent(principal, session),
        "may_compare": comparing.may(principal),
    }


def is_demo(session: Session) -> bool:
    """Whether it is of the demo, which carries a tag that says so."""
    return demo_words.TAG in session.tags


def made_of(principal: Principal, session: Session) -> QuerySet[Session]:
    """The forks and re-drives of a session that the principal sees, the newest first."""
    found = sessions.visible(principal).filter(parent=session).select_related("fork")
    return found.order_by("-created_at", "-id")


def _parent(principal: Principal, session: Session) -> Session | None:
    if session.parent_id is None:
        return None
    return sessions.visible(principal).filter(pk=session.parent_id).first()


def _replay(replay: Replay, *, now: datetime) -> dict[str, Any]:
    source = replay.source
    return {
        "wanted": pace.said(replay.speed) if replay.speed else "as fast as everybody takes it",
        "achieved": "" if replay.achieved is None else pace.said(replay.achieved),
        "n": marks.number(replay.n),
        "clock": _clock(replay.clock, now=now),
        "is_looping": bool(source.get("loop")),
        "is_over": replay.is_exhausted,
        "dataset": source.get("dataset", ""),
    }


def _clock(ms: int | None, *, now: datetime) -> SafeString | str:
    if ms is None:
        return ""
    try:
        return marks.clock(datetime.fromtimestamp(ms / 1000, UTC), now=now)
    except (ValueError, OverflowError):
        # A tape may say any number.
        return str(ms)
