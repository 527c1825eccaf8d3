"""Setting the clock of a view: where it comes to stand, and the view that begins there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from streaming.engines.replay import ReplayView
from streaming.engines.replay_reading import away
from streaming.sources import checkpoint, clock
from streaming.sources.clock import Mark


@dataclass(frozen=True, slots=True)
class Target:
    """
    Where a clock is set to: behind the last record before ``ts`` (unix ms).

    ``base`` is that place as JSON data, in ``epochs``. ``is_anew`` says that these are new ones,
    because numbers that were given would be given again.
    """

    ts: int
    mark: Mark
    epochs: Mapping[str, str]
    base: dict[str, Any]
    is_anew: bool


async def find(
    view: ReplayView, ts: int, *, mint: Callable[[], str], is_sure: bool = True
) -> Target:
    """
    Where the clock of a view comes to stand before the first record at or after ``ts``.

    On, the epochs stay: what is passed over is known by its numbers. Back, all are minted anew,
    also if nobody ``is_sure`` how far the clock had come, because who drove it died.

    :raises SourceUnreadable: when a file is gone, may not be read or has changed
    """
    mark, epochs = await view.mark_before(ts), view.epochs
    is_anew = mark.n < view.n or not is_sure
    if is_anew:
        topics = view.source.topics
        epochs = {topic.topic: mint() for topic in topics}
        mark = await away(topics, clock.anchored, mark, topics, epochs=epochs)
    fingerprint = await away(view.source.topics, view.source.fingerprint, epochs)
    return Target(ts, mark, epochs, checkpoint.write(mark, fingerprint=fingerprint), is_anew)


async def reopen(view: ReplayView, target: Target, *, generation: int) -> ReplayView:
    """
    A view of the same session that begins at the target.

    :raises SourceUnreadable: when a file is gone or may not be read
    """
    return await ReplayView.open(
        view.source,
        session_id=view.session_id,
        epochs=target.epochs,
        n=target.mark.n,
        base=target.base,
        generation=generation,
    )
