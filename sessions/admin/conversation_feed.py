"""The conversation of a session as it goes on: cards that changed, and text as it is said."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from aegis_project.database import read_db
from aegis_project.kit.principal import Principal
from sessions.admin import conversation, run_cells
from sessions.admin.feeds import Changes, Feed, Frame
from sessions.models import Run
from sessions.selectors import sessions, voices
from sessions.selectors.voices import Voice
from streaming.hints import Hint
from streaming.selectors import logs


class ConversationFeed(Feed):
    """
    The newest messages and the open runs of a session.

    Cards are sent when they look different, with the order in which they stand; of a run's text
    only what is new, with the number of characters before it.
    """

    scope = "messages:read"
    spacing_seconds = 0.1

    def __init__(self, principal: Principal, *, session_id: UUID) -> None:
        super().__init__(principal)
        self.session_id = session_id
        self._head = -1
        self._changes = Changes()
        self._voices: dict[UUID, Voice] = {}
        self._sent: dict[UUID, str] = {}

    def wants(self, hint: Hint) -> bool:
        return hint.kind == "moved" or (
            hint.kind in {"ledger", "lever"} and hint.id == str(self.session_id)
        )

    async def turn(self) -> list[Frame]:
        frame = await read_db(self._read)
        is_news = any(frame[part] for part in ("cards", "texts")) or "order" in frame
        return [frame] if is_news else []

    def _read(self) -> Frame:
        session = sessions.find(self.principal, self.session_id)
        self.follow(session)
        # Read first: what happens between the two is then seen by the next turn, not by none.
        head = logs.ledger_head(session.pk)
        runs = voices.open_runs(session.pk)
        frame: Frame = {"type": "conversation", "cards": {}, "texts": self._texts(runs)}
        if head != self._head:
            self._head = head
            talk, now = conversation.load(self.principal, session), timezone.now()
            pieces = {
                **conversation.cards(talk),
                **conversation.run_cards(runs, now=now),
                "ae-runs": run_cells.beside(session, now=now),
            }
            frame["cards"] = self._changes.of(pieces)
            frame["order"] = talk.order
            frame["runs"] = [f"r-{run.pk}" for run in runs]
            frame["has_more"] = talk.extract.has_more
        return frame

    def _texts(self, runs: list[Run]) -> dict[str, Any]:
        said: dict[str, Any] = {}
        self._voices = {run.pk: self._voices.get(run.pk, Voice()) for run in runs}
        for run in runs:
            voice = self._voices[run.pk]
            voice.hear(run)
            text, before = voice.text, self._sent.get(run.pk, "")
            if text == before:
                continue
            begin = len(before) if text.startswith(before) else 0
            said[str(run.pk)] = {"from": begin, "text": text[begin:]}
            self._sent[run.pk] = text
        return said
