"""A server of one session that speaks the protocol of docs/protocol.md, for tests of the SDK."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field

import websockets
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from aegis_project.kit.errors import AegisError
from components.core import effects
from components.core.admission import Admission
from components.core.handshake import Handshake
from components.core.heartbeat import Beats
from components.core.messages import Register
from streaming.core import errors, frames, inbound, messages, position, resume, topics
from streaming.core.position import Position
from streaming.core.resume import LogView, Placement

TOKEN = "the-token"
SESSION = "5f1a8c1e-0000-4000-8000-000000000001"
COMPONENT = "5f1a8c1e-0000-4000-8000-000000000002"
FAST = Beats(interval_seconds=0.1, tolerance_seconds=0.05, lost_seconds=5, hello_seconds=2)


@dataclass
class Log:
    """One topic: JSON texts from seq 1 on, and the chain over them."""

    name: str
    epoch: str = "00000000000000aa"
    texts: list[bytes] = field(default_factory=list)
    start: int = 1

    def ck(self, seq: int) -> bytes:
        return position.chain_all(position.genesis(self.name, self.epoch), 1, self.texts[:seq])

    @property
    def head(self) -> int:
        return len(self.texts)

    def view(self, wanted: set[int]) -> LogView:
        known = {seq: self.ck(seq) for seq in wanted if self.start - 1 <= seq <= self.head}
        return LogView(self.epoch, self.start, self.head, known)


class FakeAegis:
    """
    One session with at most one component at a time.

    What components said is in ``registers``, ``said`` (control) and ``asked`` (data), what they
    answered by its id in ``answers``. Tests move
    the session with the methods; ``batch_size`` bounds batch frames, ``is_lying`` breaks every
    chain value that is sent, ``refusal`` is what the next register is refused with, ``unavailable``
    how many data sockets are not let in, ``away`` what a topic is refused with once.
    """

    def __init__(self, *, beats: Beats = FAST) -> None:
        self.beats = beats
        self.port = 0
        self.logs: dict[str, Log] = {}
        self.aliases: dict[str, int] = {}
        self.registers: list[Register] = []
        self.said: list[str] = []
        self.answers: list[tuple[str, str]] = []
        self.asked: list[messages.Inbound] = []
        self.refusal: AegisError | None = None
        self.data_refusal: AegisError | None = None
        self.unavailable = 0
        self.forbidden: set[str] = set()
        self.away: dict[str, AegisError] = {}
        self.batch_size = 100
        self.is_lying = False
        self.is_silent = False
        self.answers_publish = True
        self.counted: set[messages.Producer | None] = set()
        self.state = "running"
        self.control: ControlSide | None = None
        self.data: DataSide | None = None

    @property
    def subscribes(self) -> list[messages.Subscribe]:
        """Every SUBSCRIBE that came."""
        return [frame for frame in self.asked if isinstance(frame, messages.Subscribe)]

    def at(self, port: int) -> "FakeAegis":
        """Listen there, not anywhere."""
        self.port = port
        return self

    async def __aenter__(self) -> "FakeAegis":
        self.server = await serve(
            self._connected,
            "127.0.0.1",
            self.port,
            compression=None,
            process_request=self._let_in,
        )
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        await self.server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_streaming(self) -> bool:
        """Streaming begins when the component is ready and the session runs."""
        return self.state == "running" and bool(
            self.control and self.control.handshake.readiness.is_ready
        )

    def _let_in(self, socket: ServerConnection, request: Request) -> Response | None:
        if request.path != "/ws/data" or not self.unavailable:
            return None
        self.unavailable -= 1
        return socket.respond(503, "Not now.")

    async def _connected(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        kind = ControlSide if socket.request.path == "/ws/control" else DataSide
        with contextlib.suppress(websockets.ConnectionClosed):
            await kind(self, socket).run()

    # What tests do

    def log(self, name: str) -> Log:
        return self.logs.setdefault(name, Log(name))

    async def append(self, name: str, *values: object) -> None:
        texts = [json.dumps(value).encode() for value in values]
        is_new = name not in self.logs
        self.log(name).texts += texts
        if self.data is not None:
            if is_new:
                await self.data.announce(name)
            await self.data.flush()

    async def end(self, name: str, *, final: bool = False) -> None:
        """Say the END of a topic."""
        assert self.data is not None
        await self.data.end(name, final=final)

    async def stop(self, *, is_over: bool = False) -> None:
        """Release the component: END per topic, then 1000 or 4005 on both sockets."""
        control, data = self.control, self.data
        assert control is not None
        if data is not None:
            for name in list(data.next):
                await data.end(name, final=is_over)
        code = 4005 if is_over else 1000
        await control.perform(control.handshake.release(is_over=is_over))
        if data is not None:
            await data.socket.close(code)

    async def move(self, state: str) -> None:
        """Tell the component that the session is in this state; records flow while it runs."""
        self.state = state
        assert self.control is not None
        component = "running" if state == "running" else "ready"
        await self.control.perform(self.control.handshake.tell(session=state, component=component))
        if self.data is not None:
            await self.data.flush()


class ControlSide:
    """A control socket: it performs what the server's handshake decides."""

    def __init__(self, aegis: FakeAegis, socket: ServerConnection) -> None:
        self.aegis = aegis
        self.socket = socket
        self.handshake = Handshake(now=self.now(), beats=aegis.beats)

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def run(self) -> None:
        ticking = asyncio.create_task(self.tick())
        try:
            async for raw in self.socket:
                said = json.loads(raw)
                self.aegis.said.append(said.get("COMMAND", ""))
                if "id" in said:
                    self.aegis.answers.append((said["COMMAND"], said["id"]))
                await self.perform(self.handshake.receive(raw, now=self.now()))
        finally:
            ticking.cancel()

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            if not self.aegis.is_silent:
                await self.perform(self.handshake.tick(now=self.now()))

    async def perform(self, decided: list[effects.Effect]) -> None:
        for effect in decided:
            match effect:
                case effects.Reply(frame=frame):
                    await self.socket.send(frames.encode(frame))
                case effects.Close(code=code):
                    await self.socket.close(code)
                case effects.Authenticate(register=register):
                    await self.admit(register)
                case effects.Renew():
                    await self.perform(self.handshake.renew(None, now=self.now()))
                case effects.MarkReady():
                    assert self.aegis.data is not None
                    self.aegis.data.prepare()
                    await self.aegis.move(self.aegis.state)
                case effects.Finish():
                    await self.aegis.stop()

    async def admit(self, register: Register) -> None:
        aegis = self.aegis
        aegis.registers.append(register)
        refusal, aegis.refusal = aegis.refusal, None
        if register.session_token != TOKEN:
            refusal = errors.TokenInvalid()
        if refusal is not None:
            await self.perform(self.handshake.refuse(refusal))
            return
        aegis.control = self
        admission = Admission(
            component_id=COMPONENT,
            name=register.name or "component-1",
            session_id=SESSION,
            topics=register.topics,
        )
        await self.perform(self.handshake.admit(admission, now=self.now()))


class DataSide:
    """A data socket: hello, then the frames of streaming's core."""

    def __init__(self, aegis: FakeAegis, socket: ServerConnection) -> None:
        self.aegis = aegis
        self.socket = socket
        self.requests: list[tuple[messages.Id, messages.Request]] = []
        self.next: dict[str, int] = {}
        self.told: dict[str, Placement] = {}
        self.flushing = asyncio.Lock()

    async def say(self, frame: frames.Frame) -> None:
        await self.socket.send(frames.encode(frame))

    async def run(self) -> None:
        hello = inbound.hello(await self.socket.recv())
        refusal, self.aegis.data_refusal = self.aegis.data_refusal, None
        if self.aegis.control is None or self.aegis.control.handshake.phase == "closed":
            refusal = errors.PartnerLost()
        if refusal is not None:
            await self.say(frames.error(refusal))
            await self.socket.close(errors.close_code(refusal))
            return
        assert hello.get("component_id") in {None, COMPONENT}
        self.aegis.data = self
        assert self.aegis.control is not None
        await self.say(frames.ack())
        await self.aegis.control.perform(self.aegis.control.handshake.attach_data())
        try:
            async for raw in self.socket:
                frame = inbound.decode(raw)
                self.aegis.asked.append(frame)
                await self.take(frame)
        finally:
            if self.aegis.data is self:
                self.aegis.data = None

    async def take(self, frame: messages.Inbound) -> None:
        match frame:
            case messages.Subscribe():
                await self.subscribe(frame)
            case messages.Unsubscribe(id=ref, topics=names):
                for name in names:
                    self.next.pop(name, None)
                await self.say(frames.unsubscribed(ref, names))
            case messages.Publish():
                await self.publish(frame)

    async def publish(self, frame: messages.Publish) -> None:
        if frame.topic in self.aegis.forbidden:
            await self.say(frames.error(errors.TopicForbidden(), ref=frame.id))
            return
        log = self.aegis.log(frame.topic)
        if frame.producer is None or frame.producer not in self.aegis.counted:
            log.texts += frame.items
            self.aegis.counted.add(frame.producer)
        if frame.id is not None and self.aegis.answers_publish:
            head = Position(log.epoch, log.head, log.ck(log.head))
            await self.say(frames.published(frame.id, log.name, head, len(frame.items)))

    # Subscriptions

    async def subscribe(self, frame: messages.Subscribe) -> None:
        entries, refused = [], []
        for request in frame.requests:
            self.requests.append((frame.id, request))
            if request.topic in self.aegis.forbidden:
                refused.append(frames.refused(request.topic, errors.UnknownTopic()))
                continue
            if error := self.aegis.away.pop(request.topic, None):
                refused.append(frames.refused(request.topic, error))
                continue
            names = [request.topic]
            if "*" in request.topic:
                names = [name for name in self.aegis.logs if topics.covers(names, name)]
            entries += [self.place(name, request) for name in names if name not in self.next]
        await self.say(frames.subscribed(frame.id, entries, refused))
        await self.flush()

    def prepare(self) -> None:
        """Give a component that asked for nothing its registered topics."""
        for name in () if self.requests else self.aegis.registers[-1].topics:
            self.place(name, messages.Request(name))

    async def announce(self, name: str) -> None:
        for ref, request in self.requests:
            if "*" in request.topic and topics.covers([request.topic], name):
                entry = self.place(name, messages.Request(name, resume.Start("earliest")))
                await self.say(frames.subscribed(ref, [entry]))

    def place(self, name: str, request: messages.Request) -> frames.Frame:
        log = self.aegis.log(name)
        wanted = resume.points(log.start, log.head, request.begin, request.cursor)
        placed = resume.place(log.view(wanted), request.begin, request.cursor)
        self.next[name] = placed.next
        self.told[name] = placed
        return frames.entry(
            topic=name,
            alias=self.alias(name),
            epoch=log.epoch,
            start=log.start,
            head=log.head,
            placed=placed,
        )

    def alias(self, name: str) -> int:
        return self.aegis.aliases.setdefault(name, len(self.aegis.aliases) + 1)

    async def flush(self) -> None:
        async with self.flushing:
            if self.aegis.is_streaming:
                for name in list(self.next):
                    await self.flush_topic(self.aegis.log(name))

    async def flush_topic(self, log: Log) -> None:
        await self.notice(log)
        assert self.aegis.control is not None
        proto = self.aegis.registers[-1].proto
        is_batching = proto is not None and proto.batch
        size = self.aegis.batch_size if is_batching else 1
        while self.next[log.name] <= log.head:
            first = self.next[log.name]
            texts = log.texts[first - 1 : first - 1 + size]
            self.next[log.name] = first + len(texts)
            times = [1000 * seq for seq in range(first, first + len(texts))]
            await self.socket.send(self.records(log, first, times, texts, is_batching=is_batching))

    def records(self, log, first, times, texts, *, is_batching) -> str:
        if not is_batching:
            return frames.plain(log.name.encode(), first, times[0], texts[0], None)
        ck = b"\xff" * 8 if self.aegis.is_lying else log.ck(first + len(texts) - 1)
        return frames.batch(
            alias=self.alias(log.name), first=first, ts=times, data=texts, ck=ck, n=()
        )

    async def notice(self, log: Log) -> None:
        placed = self.told.pop(log.name, None)
        if placed is not None and placed.notice is not None:
            await self.say(
                frames.notice(
                    placed.notice,
                    topic=log.name,
                    alias=self.alias(log.name),
                    epoch=log.epoch,
                    placed=placed,
                    is_extended=True,
                )
            )

    async def skip(self, name: str, count: int) -> None:
        """Leave records out, as a ring that ran over does."""
        log, first = self.aegis.log(name), self.next[name]
        self.next[name] = first + count
        gap = resume.Gap(first, first + count - 1, "overrun")
        placed = Placement(first + count, log.ck(first + count - 1), gap)
        self.told[name] = placed
        await self.flush()

    async def end(self, name: str, *, final: bool) -> None:
        log = self.aegis.log(name)
        ends = Position(log.epoch, log.head, log.ck(log.head))
        frame = frames.end(
            topic=name, alias=self.alias(name), position=ends, reason="session_stopped", final=final
        )
        await self.say(frame)
