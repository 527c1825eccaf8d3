"""The clock of a historical session over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import lever
from sessions.api.documents import SessionDocument
from sessions.api.inputs import ReasonInput, StartQuery
from sessions.core.lifecycle import State
from sessions.models import Replay, Session
from sessions.selectors import clocks as reading
from sessions.services import clocks, lifecycle
from sessions.services.clocks import MOST_STEPS, Ordered
from streaming.api import codecs
from streaming.api.base import Endpoint, alone, once
from streaming.api.codecs import Timestamp
from streaming.api.schema import operation
from streaming.sources.clock_range import OPEN_END

Instant = (
    Annotated[int, Meta(ge=0, le=OPEN_END)] | Annotated[str, Meta(min_length=1, max_length=64)]
)


class ClockDocument(Struct, kw_only=True):
    """
    Where the clock of a historical session stands; times are unix milliseconds.

    `n` counts the records before it, over all topics of its source. `seek_to` and `steps` are what
    was ordered and is not carried out yet. A running session saves its clock once a second, and
    with it in `achieved` how many times real time it went since; `speed` is what was asked for.
    """

    session: UUID
    state: State
    clock: int | None
    n: int
    speed: float
    achieved: float | None
    loop: bool
    lockstep: bool
    range_from: int
    range_to: int | None
    seek_to: int | None
    steps: int | None
    is_exhausted: bool
    bad_rows: int
    topics: list[str]
    updated_at: Timestamp


class SeekInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """The time to set the clock to: unix milliseconds, or ISO 8601."""

    to: Instant


class StepInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """For how many ticks; a tick is everything at one time of the clock."""

    count: Annotated[int, Meta(ge=1, le=MOST_STEPS)] = 1


class SpeedInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """How many times real time: 0.25 to 100, or 0 for as fast as every running component takes it."""

    speed: Annotated[float, Meta(ge=0, le=100)]


class RestartInput(ReasonInput, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Another range, if wanted; 0 leaves an end open."""

    from_: Instant | None = None
    to: Instant | None = None


def document(session: Session, replay: Replay) -> ClockDocument:
    """The clock of a session as the canonical interface shows it."""
    source = replay.source
    last = replay.range_to
    return ClockDocument(
        session=session.pk,
        state=State(session.state),
        clock=replay.clock,
        n=replay.n,
        speed=replay.speed,
        achieved=replay.achieved,
        loop=bool(source.get("loop")),
        lockstep=bool(source.get("lockstep")),
        range_from=replay.range_from or 0,
        range_to=None if last == OPEN_END else last,
        seek_to=replay.seek_to,
        steps=replay.steps,
        is_exhausted=replay.is_exhausted,
        bad_rows=replay.bad_rows,
        topics=source.get("topics", []),
        updated_at=replay.updated_at,
    )


def ordered(done: Ordered, *, status: int) -> Response:
    """The clock after something was ordered of it."""
    return Response(codecs.show(document(done.session, done.replay)), status=status)


class Clock(Endpoint):
    """The clock of a historical session."""

    def verbs(self, data: Any) -> list[tuple[str, str]]:
        """A tick more, where that is legal now; the other orders need something said."""
        is_paused = isinstance(data, dict) and data.get("state") == State.PAUSED
        return [("step", f"{self.request.path.rpartition('/')[0]}/step")] if is_paused else []

    @operation("sessions.clock", tag="clock", answers={200: ClockDocument})
    def get(self, _request: Request, session: str) -> Response:
        """Read where the clock stands, and how fast it goes."""
        return Response(codecs.show(document(*reading.find(self.principal, session))))


class Seek(Endpoint):
    """Set the clock."""

    examples = {"POST": {"to": "2024-08-08T23:58:00Z"}}

    @operation("sessions.seek", tag="clock", body=SeekInput, answers={202: ClockDocument})
    @once
    def post(self, _request: Request, session: str) -> Response:
        """
        Set the clock to a time; the next record is the first one at or after it.

        On, subscribers are told by GAP exactly what is passed over; back, the topics begin in new
        epochs. 202, because whoever drives the clock carries it out.
        """
        to = self.ordered(SeekInput).to
        return ordered(clocks.seek(principal=self.principal, session=session, to=to), status=202)


class Step(Endpoint):
    """Let a paused session go by ticks."""

    examples = {"POST": {"count": 1}}

    @operation("sessions.step", tag="clock", body=StepInput, answers={202: ClockDocument})
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Run a paused session for some ticks; then it is paused again."""
        count = self.ordered(StepInput).count
        return ordered(
            clocks.step(principal=self.principal, session=session, count=count), status=202
        )


class Speed(Endpoint):
    """Change how fast the clock goes."""

    examples = {"POST": {"speed": 10}}

    @operation("sessions.speed", tag="clock", body=SpeedInput, answers={200: ClockDocument})
    @once
    def post(self, _request: Request, session: str) -> Response:
        """Let the clock go faster or slower from now on."""
        speed = self.ordered(SpeedInput).speed
        return ordered(
            clocks.set_speed(principal=self.principal, session=session, speed=speed), status=200
        )


class Restart(Endpoint):
    """Begin anew."""

    examples = {"POST": {"reason": "once more"}}

    @operation(
        "sessions.restart",
        tag="lever",
        body=RestartInput,
        query=StartQuery,
        answers={200: SessionDocument, 202: SessionDocument},
    )
    @alone
    def post(self, _request: Request, session: str) -> Response:
        """
        Begin a new activation; a historical session replays from the beginning of its range.

        Then as start: 200 if it runs at once or within `wait`, else 202 while it waits.
        """
        wait, order = self.asked(StartQuery).wait, self.ordered(RestartInput)
        found = lifecycle.restart(
            principal=self.principal,
            session=session,
            from_=order.from_,
            to=order.to,
            reason=order.reason,
        )
        return lever.started(found, wait=wait)
