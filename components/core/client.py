"""The component's side of one control socket: the partner of the server's handshake."""

from dataclasses import dataclass

from components.core import frames
from components.core.effects import Close, Reply
from components.core.heartbeat import BEATS, Beats, Rhythm
from streaming.core import inbound
from streaming.core.errors import CloseCode


@dataclass(frozen=True, slots=True)
class Join:
    """The server took the component: open the data socket, say hello, subscribe, then READY."""

    component_id: str
    name: str
    session_id: str
    data_socket: str


@dataclass(frozen=True, slots=True)
class Tell:
    """The server says something that the component's owner may want to know."""

    command: str
    frame: frames.Frame


Effect = Reply | Close | Join | Tell


class Registration:
    """
    Decide what a component says on its control socket; perform nothing.

    The owner sends the register frame first, then hands in every frame and, about once a
    second, the time (in seconds of one clock).
    """

    def __init__(self, *, now: float, beats: Beats = BEATS) -> None:
        self.beats = beats
        self.last_heard_at = now
        self.is_joined = False
        self.rhythm = Rhythm(now=now, interval_seconds=beats.interval_seconds)
        # What the last DRAIN asked for, in milliseconds.
        self.retry_ms: int | None = None
        # The last refusal told as a frame; a close code that follows is explained by it.
        self.error: frames.Frame | None = None

    def receive(self, raw: str | bytes, *, now: float) -> list[Effect]:
        """
        Take one frame of the server; what it does not know it ignores.

        :raises ValidationFailed: when it is not a frame at all
        """
        frame = frames.parse(raw)
        self.last_heard_at = now
        command = inbound.command_of(frame)
        if command == "ACK" and not self.is_joined:
            return [self._join(frame, now)]
        if command == "DRAIN":
            self.retry_ms = frame.get("retry_ms")
        if command == "ERROR":
            self.error = frame
        if command == "HEARTBEAT":
            return self._beaten(frame)
        return [Tell(command, frame)]

    def _beaten(self, frame: frames.Frame) -> list[Effect]:
        # Who asks for an answer gives the beat an id; it is said between the own beats.
        asked = frame.get("id")
        return [Reply(frames.heartbeat(self.rhythm.n, id_=asked))] if asked else []

    def heard(self, *, now: float) -> None:
        """Note that the data socket brought something: the server lives."""
        self.last_heard_at = now

    def _join(self, frame: frames.Frame, now: float) -> Join:
        self.is_joined = True
        seconds = frame.get("heartbeat_seconds", self.beats.interval_seconds)
        self.rhythm = Rhythm(now=now, interval_seconds=seconds)
        return Join(
            component_id=frame.get("component_id", ""),
            name=frame.get("name", ""),
            session_id=frame.get("session_id", ""),
            data_socket=frame.get("data_socket", "/ws/data"),
        )

    def ready(self) -> list[Effect]:
        """Say that records can be taken: after the data socket's hello and SUBSCRIBE."""
        return [Reply({"COMMAND": "READY"})]

    def tick(self, *, now: float) -> list[Effect]:
        """Let time pass: beat when it is due, give a silent server up."""
        silence = max(self.beats.silence_seconds, self.rhythm.interval_seconds * 2.5)
        if now - self.last_heard_at >= silence:
            return [Close(CloseCode.HEARTBEAT_MISSED, both=True)]
        n = self.rhythm.due(now) if self.is_joined else None
        return [] if n is None else [Reply(frames.heartbeat(n))]
