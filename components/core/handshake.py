"""The server's side of one control socket: frames and moments go in, effects come out."""

from aegis_project.kit.errors import AegisError, InvalidState
from components.core import effects, frames, messages
from components.core.admission import Admission, Phase
from components.core.effects import Close, Effect, MarkLost, Reply
from components.core.envelope import Envelope, is_envelope, plain
from components.core.heartbeat import BEATS, Beats, Pulse, Rhythm, judge
from components.core.readiness import Readiness
from components.core.tokens import Expiry, TokenClock
from streaming.core import errors
from streaming.core import frames as outbound
from streaming.core.errors import CloseCode

MAX_EARLY = 16


class Handshake:
    """
    Decide everything a control socket does; perform nothing.

    The edge calls the methods with the loop's time in seconds and performs the effects they
    return, in order. After a Close every method returns nothing.
    """

    __slots__ = (
        "beats",
        "early",
        "envelope",
        "is_extended",
        "is_judged",
        "is_warned",
        "last_heard_at",
        "opened_at",
        "phase",
        "pulse",
        "readiness",
        "rhythm",
        "token",
    )

    def __init__(self, *, now: float, beats: Beats = BEATS) -> None:
        self.beats = beats
        self.phase = Phase.OPEN
        self.opened_at = now
        self.last_heard_at = now
        self.pulse = Pulse.ALIVE
        # These three are set by the register frame.
        self.envelope: Envelope | None = None
        self.is_extended = False
        # Whether silence counts: a client of seed 000 may never have heard of heartbeats.
        self.is_judged = False
        self.early: list[messages.Message] = []
        self.readiness = Readiness()
        self.is_warned = False
        self.rhythm = Rhythm(now=now, interval_seconds=beats.interval_seconds)
        self.token = TokenClock(beats)

    # Frames

    def receive(self, raw: str | bytes, *, now: float) -> list[Effect]:
        """Take one frame of the component."""
        if self.phase is Phase.CLOSED:
            return []
        try:
            message, answers = self._read(frames.parse(raw))
        except AegisError as error:
            return self.fail(error)
        match self.phase:
            case Phase.OPEN:
                return self._open(message)
            case Phase.AUTHENTICATING:
                return self._hold_back(message)
            case _:
                return [*self.heard(now=now), *answers, *self._take(message)]

    def _read(self, frame: frames.Frame) -> tuple[messages.Message, list[Reply]]:
        if self.phase is Phase.OPEN and is_envelope(frame):
            self.envelope = Envelope()
        if self.envelope is None:
            return frames.read(plain(frame) if self.phase is Phase.OPEN else frame), []
        message = frames.read(self.envelope.inward(frame))
        return message, [Reply(answer) for answer in self.envelope.answers(frame)]

    def write(self, frame: frames.Frame, *, at: str) -> str | None:
        """
        Write the frame of a Reply as the text to send, in the spelling this client speaks.

        ``at`` is the time now (ISO 8601). None if its spelling has no such frame.
        """
        if self.envelope is None:
            return outbound.encode(frame)
        wrapped = self.envelope.outward(frame, at=at)
        return None if wrapped is None else outbound.encode(wrapped)

    def heard(self, *, now: float) -> list[Effect]:
        """Note a sign of life; frames of the data socket count when this process holds it."""
        self.last_heard_at = now
        if self.pulse is Pulse.LATE:
            self.pulse = Pulse.ALIVE
            return [effects.MarkLate(is_late=False)]
        return []

    def _open(self, message: messages.Message) -> list[Effect]:
        if not isinstance(message, messages.Register):
            return self.fail(errors.ProtocolError("The first frame must be a register."))
        self.phase = Phase.AUTHENTICATING
        self.is_judged = message.proto is not None
        self.is_extended = self.is_judged or self.envelope is not None
        return [effects.Authenticate(message)]

    def _hold_back(self, message: messages.Message) -> list[Effect]:
        # ACK is the first frame a component ever gets; what overtakes it is taken after it.
        self.early.append(message)
        return self.fail(errors.TooManyFrames()) if len(self.early) > MAX_EARLY else []

    def _take(self, message: messages.Message) -> list[Effect]:
        match message:
            case messages.Heartbeat(id=id_):
                self.is_judged = True
                return [effects.Answer(messages.Result(id=id_))] if id_ else []
            case messages.Ready():
                return self._as_known(self.readiness.ready())
            case messages.Wait():
                return self.readiness.wait()
            case messages.Register() | messages.Unknown():
                return [self._decline(message)]
            case _:
                return [self._pass_on(message)]

    def _pass_on(self, message: messages.Passed) -> Effect:
        match message:
            case messages.Refresh(session_token=token):
                return effects.Renew(token)
            case messages.Fault():
                return effects.Report(message)
            case messages.Result():
                return effects.Answer(message)
            case _:
                return effects.Finish()

    def _decline(self, message: messages.Register | messages.Unknown) -> Reply:
        if isinstance(message, messages.Unknown):
            return self._answer(errors.UnknownCommand(command=message.command), ref=message.command)
        return self._answer(InvalidState("This connection is registered already."), ref="REGISTER")

    # Answers of the registry

    def admit(self, admission: Admission, *, now: float) -> list[Effect]:
        """Go on as this component: ACK is the first frame it ever gets, the beat starts."""
        if self.phase is not Phase.AUTHENTICATING:
            return []
        self.phase = Phase.REGISTERED
        self.last_heard_at = now
        self.rhythm = Rhythm(now=now, interval_seconds=self.beats.interval_seconds)
        self.token.set(admission.expiry, now=now)
        ack = frames.ack(
            component_id=admission.component_id,
            name=admission.name,
            session_id=admission.session_id,
            data_socket=admission.data_socket,
            heartbeat_seconds=self.beats.interval_seconds,
            topics=admission.topics,
        )
        early = [effect for message in self.early for effect in self._take(message)]
        return [Reply(ack), *early]

    def refuse(self, error: AegisError) -> list[Effect]:
        """Tell a refusal; it ends the connection only while there is no component yet."""
        if self.phase is Phase.REGISTERED:
            return [self._answer(error)]
        return self.fail(error)

    def renew(self, expiry: Expiry | None, *, now: float) -> list[Effect]:
        """Go on with the new token."""
        if self.phase is not Phase.REGISTERED:
            return []
        self.token.set(expiry, now=now)
        return [Reply({"COMMAND": "ACK", "ref": "REFRESH"})]

    # The data socket

    def attach_data(self) -> list[Effect]:
        """Note that the data socket said hello, here or in another process."""
        is_registered = self.phase is Phase.REGISTERED
        return self._as_known(self.readiness.attach(is_registered=is_registered))

    def detach_data(self, *, now: float) -> None:
        """Note that the data socket is gone: READY stands, and the grace runs."""
        self.readiness.detach(now=now)

    # Time

    def tick(self, *, now: float) -> list[Effect]:
        """Let time pass; call it about once a second."""
        if self.phase is Phase.OPEN and now - self.opened_at >= self.beats.hello_seconds:
            return self.fail(errors.HelloMissing())
        if self.phase is not Phase.REGISTERED:
            return []
        # One thing at a time: what is left over is due again at the next tick.
        return (
            self._judge(now) or self._judge_data(now) or self._judge_token(now) or self._beat(now)
        )

    def _judge(self, now: float) -> list[Effect]:
        pulse = judge(self.last_heard_at, now, beats=self.beats)
        if not self.is_judged or pulse is self.pulse:
            return []
        self.pulse = pulse
        if pulse is Pulse.LOST:
            return self.fail(errors.HeartbeatMissed(), reason="silent", both=True)
        return [effects.MarkLate(is_late=True)]

    def _judge_data(self, now: float) -> list[Effect]:
        lost_at = self.readiness.data_lost_at
        if lost_at is None or now - lost_at < self.beats.grace_seconds:
            return []
        error = errors.PartnerLost("The data socket of this component was lost.")
        return self.fail(error, reason="data_socket_lost")

    def _judge_token(self, now: float) -> list[Effect]:
        if self.token.is_over(now):
            return self.fail(errors.TokenExpired(), reason="token_expired", both=True)
        if self.is_extended and self.token.warns(now):
            return [Reply(frames.token_expiring(self.token.at_ms))]
        return []

    def _beat(self, now: float) -> list[Effect]:
        n = self.rhythm.due(now)
        return [] if n is None else [Reply(frames.heartbeat(n))]

    # Ends

    def fail(
        self, error: AegisError, *, reason: str = "protocol", both: bool = False
    ) -> list[Effect]:
        """End the connection for an error: told as a frame first, then by the close code."""
        close = Close(errors.close_code(error), both=both)
        return self._end([self._answer(error), close], reason=reason)

    def warn(self, retry_ms: int) -> list[Effect]:
        """Tell that this process ends, and after what time to come back once it has closed."""
        if self.phase is not Phase.REGISTERED or not self.is_extended or self.envelope:
            return []
        self.is_warned = True
        return [Reply(frames.drain(retry_ms))]

    def drain(self, retry_ms: int) -> list[Effect]:
        """
        Send the component away because this process ends; it may come back in ``retry_ms``.

        Who drains notes the loss, of all that it sends away together.
        """
        error = self._answer(errors.Draining(retry_ms=retry_ms))
        said = [] if self.is_warned else self.warn(retry_ms) or [error]
        return self._end([*said, Close(CloseCode.DRAINING)])

    def replace(self) -> list[Effect]:
        """Give way to a newer connection of the same component."""
        return self._end([self._answer(errors.ConnectionReplaced()), Close(CloseCode.REPLACED)])

    def release(self, *, is_over: bool) -> list[Effect]:
        """Let the component go: its session stopped, or is over for good."""
        if is_over:
            over = self._answer(errors.SessionOver())
            return self._end([over, Close(CloseCode.SESSION_OVER, both=True)])
        told = self.tell(session="stopped", component="stopped")
        return self._end([*told, Close(CloseCode.NORMAL, both=True)])

    def disconnect(self) -> list[Effect]:
        """Note that the socket is gone; a registered component is lost with it."""
        return self._end([], reason="control_socket_lost")

    def _end(self, said: list[Effect], *, reason: str = "") -> list[Effect]:
        # Without a reason the registry has moved the component already.
        phase, self.phase = self.phase, Phase.CLOSED
        if phase is Phase.CLOSED:
            return []
        is_lost = phase is Phase.REGISTERED and reason
        return [*said, MarkLost(reason)] if is_lost else said

    # Words

    def tell(self, *, session: str, component: str) -> list[Effect]:
        """Say where session and component stand, to a client that asked for such frames."""
        self.readiness.session = session
        if self.phase is not Phase.REGISTERED or not self.is_extended:
            return []
        return [Reply(frames.state(session=session, component=component))]

    def _as_known(self, decided: list[Effect]) -> list[Effect]:
        # A client of the first protocol knows no NOTICE.
        if self.is_extended:
            return decided
        return [one for one in decided if not isinstance(one, Reply)]

    def _answer(self, error: AegisError, *, ref: str | None = None) -> Reply:
        return Reply(outbound.error(error, ref=ref))
