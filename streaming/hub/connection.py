"""One connection: frames go out in order, inline while the server takes them."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from aegis_project.kit.errors import AegisError
from aegis_project.kit.seat import Seat
from streaming.core import frames
from streaming.core.errors import CloseCode, SlowConsumer, close_code
from streaming.core.frames import Frame
from streaming.core.messages import Id, Request
from streaming.hub import feeding
from streaming.hub.inline import Begun
from streaming.hub.limits import Limits
from streaming.hub.line import Line
from streaming.hub.losses import Losses
from streaming.hub.packs import Message, message
from streaming.hub.subscription import Subscription

Send = Callable[[Message], Coroutine[Any, Any, None]]


class Owner(Protocol):
    """What a connection tells its hub."""

    limits: Limits
    losses: Losses

    def mark(self, line: Line) -> None:
        """Compare a line with its log again at the next flush, and go on with it."""

    def again(self, connection: "Connection") -> None:
        """Pump it again at the next flush: it has had its turn and has more to send."""

    def stirred(self, connection: "Connection") -> None:
        """Take notice that it has room again, has committed, or is gone."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something to its end in a task that the hub keeps."""

    def widened(self, connection: "Connection") -> None:
        """Take notice that it follows whatever appears under a pattern."""

    def gone(self, connection: "Connection") -> None:
        """Let it go: it is closed or lost."""


class Connection:
    """
    A seat with a way to send to it.

    ``is_free`` says that a frame may be sent now; while a send is suspended, answers wait in a
    bounded queue and records wait in their logs. ``is_open`` is the gate. ``since`` is the loop
    time at which it stopped being free.
    """

    __slots__ = (
        "_abandon",
        "_choke",
        "_task",
        "_unsent",
        "answers",
        "closing",
        "deadline",
        "farewell",
        "feeding",
        "has_asked",
        "held_since",
        "is_batch",
        "is_closed",
        "is_free",
        "is_open",
        "is_prepared",
        "is_quiet",
        "is_simple",
        "loop",
        "owner",
        "patterns",
        "seat",
        "send",
        "since",
        "subscriptions",
    )

    def __init__(
        self,
        seat: Seat,
        send: Send,
        owner: Owner,
        *,
        is_open: bool = False,
        unsent: Callable[[], int] | None = None,
        abandon: Callable[[], None] | None = None,
    ) -> None:
        self.seat = seat
        self.owner = owner
        self.loop = asyncio.get_running_loop()
        self.subscriptions: dict[str, Subscription] = {}
        self.patterns: dict[str, tuple[Request, Id]] = {}
        # A list, because an empty deque takes ten times the memory and few ever wait.
        self.answers: list[Message] = []
        self.feeding: asyncio.Task[None] | None = None
        self.is_open = is_open
        # Without a window, and the server itself says when it has enough.
        self.is_simple = not seat.window and unsent is None
        self.is_batch = seat.batch
        self.is_free = True
        self.is_closed = self.has_asked = self.is_prepared = False
        self.farewell: Frame | None = None
        self.held_since: float | None = None
        self.closing: CloseCode | None = None
        self.deadline = 0.0
        self.is_quiet = True
        self.since = self.loop.time()
        self.send = send
        self._unsent = unsent
        self._abandon = abandon
        self._task: asyncio.Task[None] | None = None
        self._choke: asyncio.TimerHandle | None = None

    # Sending

    @property
    def unsent(self) -> int | None:
        """Bytes that wait in a server without back-pressure; None where the send itself waits."""
        return None if self._unsent is None else self._unsent()

    def post(self, frame: Frame) -> None:
        """Send a frame after those already waiting."""
        if self.is_closed:
            return
        if self.is_free:
            self.put(message(frames.encode(frame)))
        elif len(self.answers) < self.owner.limits.answers:
            self.answers.append(message(frames.encode(frame)))
        else:
            self.cut(SlowConsumer())

    def put(self, what: Message) -> bool:
        """Send now; whether another may follow. Only while ``is_free``."""
        coroutine = self.send(what)
        try:
            waiting = coroutine.send(None)
        except StopIteration:
            return True
        except Exception:  # noqa: BLE001 -- each server has its own way to say that nobody is there
            self.lose()
            return False
        self._hold()
        self._task = self.loop.create_task(self._finish(Begun(coroutine, waiting)))
        return False

    def has_room(self) -> bool:
        """Whether the server's buffer has room; where it tells nothing, the send itself does."""
        if self._unsent is None or self._unsent() <= self.owner.limits.unsent_bytes:
            return True
        self._hold()
        self._wait_for_room()
        return False

    def pump(self) -> None:
        """Send whatever can be sent: what waits, then records, then the close."""
        while self.is_free and self.answers:
            self.put(self.answers.pop(0))
        if self.is_free:
            feeding.feed_all(self)
        if self.is_free and self.closing is not None and not self.subscriptions:
            last = [] if self.farewell is None else [message(frames.encode(self.farewell))]
            self._part([*last, close(self.closing)])

    def _hold(self) -> None:
        self.is_free = False
        self.since = self.loop.time()

    async def _finish(self, begun: Begun[None]) -> None:
        try:
            await begun
        except Exception:  # noqa: BLE001 -- as above
            self.lose()
            return
        self._task = None
        self._release()

    def _release(self) -> None:
        self.is_free = not self.is_closed
        self.pump()
        if self.is_free:
            self.owner.stirred(self)

    def _wait_for_room(self) -> None:
        pause = self.owner.limits.unsent_poll_seconds
        self._choke = self.loop.call_later(pause, self._look_for_room)

    def _look_for_room(self) -> None:
        self._choke = None
        if self.is_closed or self._unsent is None:
            return
        if self._unsent() <= self.owner.limits.unsent_bytes // 2:
            self._release()
        else:
            self._wait_for_room()

    # Closing

    def finish(self, code: CloseCode, *, farewell: Frame | None = None) -> None:
        """Close once all subscriptions have ended, and at the latest when the drain is over."""
        if self.closing is None and not self.is_closed:
            self.closing, self.farewell = code, farewell
            self.deadline = self.loop.time() + self.owner.limits.drain_seconds
            self.patterns.clear()
            self.pump()

    def refuse(self, error: AegisError, *, ref: Id = None) -> None:
        """Say why in an ERROR frame, then close with the error's code; nothing else follows."""
        if self.closing is None:
            self.drop_all()
            self.finish(close_code(error), farewell=frames.error(error, ref=ref))

    def cut_short(self) -> None:
        """Give up what a closing connection has not taken: it is told, and the socket closed."""
        for subscription in self.subscriptions.values():
            subscription.pause(is_paused=True)
        self.pump()
        if not self.is_closed:
            self.cut(SlowConsumer())

    def cut(self, error: AegisError) -> None:
        """End a connection that does not take its frames: it gets a moment for the last two."""
        if self.is_closed:
            return
        code = close_code(error)
        self._part([message(frames.encode(frames.error(error))), close(code)])

    def lose(self) -> None:
        """Let go of everything: nobody is there any more."""
        if self.is_closed:
            return
        self.is_closed, self.is_free = True, False
        self.drop_all()
        self.answers.clear()
        if self._choke is not None:
            self._choke.cancel()
        for task in (self._task, self.feeding):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        self.owner.gone(self)

    def drop(self, subscription: Subscription) -> None:
        """Take this connection off one topic."""
        self.subscriptions.pop(subscription.line.key[1], None)
        subscription.line.subscriptions.pop(subscription, None)

    def drop_all(self) -> None:
        """Take this connection off every topic."""
        self.patterns.clear()
        for subscription in tuple(self.subscriptions.values()):
            self.drop(subscription)

    def _part(self, last: Sequence[Message]) -> None:
        self.lose()
        self.owner.spawn(self._say_goodbye(last))

    async def _say_goodbye(self, last: Sequence[Message]) -> None:
        try:
            async with asyncio.timeout(self.owner.limits.goodbye_seconds):
                for what in last:
                    await self.send(what)
        except Exception:  # noqa: BLE001 -- it is stuck or gone, and the server must hear of it
            if self._abandon is not None:
                self._abandon()


def close(code: CloseCode) -> Message:
    """Tell the server to close the socket with this code."""
    return {"type": "websocket.close", "code": int(code)}
