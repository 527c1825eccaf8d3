"""What runs are saying: the text that is not a message yet, read on from where one stood."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from sessions.core import run_log
from sessions.core.run_log import Start, Text
from sessions.models import Run
from streaming.models import Record

MOST = 2_000


@dataclass(slots=True)
class Voice:
    """
    One run as far as it was heard.

    ``pieces`` are texts by their ``seq`` in its log. What a later attempt makes void leaves, and
    what became a message does, too.
    """

    seq: int = 0
    pieces: list[tuple[int, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What it says now."""
        return "".join(text for _, text in self.pieces)

    def hear(self, run: Run) -> None:
        """Read on in its log, a stretch at most."""
        rows = Record.objects.filter(
            log__session=run.session_id, log__name=run_log.name_of(run.pk), seq__gt=self.seq
        )
        for seq, body in rows.order_by("seq").values_list("seq", "body")[:MOST]:
            self._take(seq, run_log.decode(bytes(body)))
        self.pieces = [piece for piece in self.pieces if piece[0] > run.safe_seq]

    def _take(self, seq: int, entry: run_log.AnyEntry) -> None:
        self.seq = seq
        if isinstance(entry, Start):
            self.pieces = [piece for piece in self.pieces if piece[0] <= entry.keeps]
        elif isinstance(entry, Text):
            self.pieces.append((seq, entry.text))


def open_runs(session_id: UUID) -> list[Run]:
    """The runs of a session that may still say something, in the order of their admission."""
    return list(Run.objects.open().filter(session=session_id).order_by("place"))


def last_runs(session_id: UUID, *, limit: int) -> list[Run]:
    """The last runs of a session, the newest first."""
    return list(Run.objects.filter(session=session_id).order_by("-place")[:limit])


def by_id(run_ids: Iterable[UUID]) -> dict[UUID, Run]:
    """These runs by id."""
    return Run.objects.in_bulk(list(run_ids))
