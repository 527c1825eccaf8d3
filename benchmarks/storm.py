"""Components that come all at once, are cut off all at once, and come back with their cursors."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from benchmarks import machine, websocket
from benchmarks.candidates.aegis import HEARTBEAT, TOPIC, Aegis, AegisLive, Component, published
from benchmarks.wires import Frame, Wire, Wires

BEAT_SECONDS, GIVE_UP_SECONDS, IDLE_SECONDS = 2.0, 60.0, 2.0
# Published while everybody is there, and again while nobody is.
RECORDS = 10
STEPS = ("registered", "subscribed", "running")


@dataclass(slots=True)
class Result:
    """What a storm took; bytes are of the server per component, waits are until it runs again."""

    components: int
    connect_seconds: float = 0.0
    control_bytes: float = 0.0
    data_bytes: float = 0.0
    idle_bytes: float = 0.0
    reconnect_seconds: float = 0.0
    reconnect_cpu_seconds: float = 0.0
    client_seconds: float = 0.0
    refusals: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    disordered: int = 0
    waits: list[float] = field(default_factory=list)

    @property
    def whole_seconds(self) -> float:
        """Until everybody runs again; endless when not everybody does."""
        return self.reconnect_seconds if len(self.waits) == self.components else float("inf")


@dataclass(slots=True, eq=False)
class Client:
    """A component that follows one topic; ``seq`` is the last that it has had."""

    storm: "Storm"
    name: str
    control: Wire | None = None
    data: Wire | None = None
    component_id: str = ""
    cursor: Frame | None = None
    seq: int = 0
    began_at: float = 0.0
    step: str = ""

    def begin(self) -> None:
        """Connect, for the first time or again."""
        self.began_at, self.step = time.perf_counter(), ""
        self.control = self.storm.wires.open("/ws/control", self._register, self._hear_control)

    def _register(self) -> None:
        who = {"component_id": self.component_id} if self.component_id else {"name": self.name}
        self._say(
            self.control,
            session_token=self.storm.live.token,
            topics=[TOPIC],
            proto={"batch": True},
            **who,
        )

    def _hear_control(self, frame: Frame) -> None:
        if frame.get("COMMAND") == "ACK":
            self.component_id = frame["component_id"]
            self.storm.reached(self, "registered", self._open_data)
        elif frame.get("COMMAND") == "STATE" and frame["component"] == "running":
            self.storm.reached(self, "running", lambda: None)

    def _open_data(self) -> None:
        self.data = self.storm.wires.open("/ws/data", self._hello, self._hear_data)

    def _hello(self) -> None:
        token = self.storm.live.token
        self._say(self.data, session_token=token, component_id=self.component_id)

    def _hear_data(self, frame: Frame) -> None:
        if "msgs" in frame:
            self._take(frame)
        elif frame["COMMAND"] == "ACK":
            wish = {"topic": TOPIC} | ({"cursor": self.cursor} if self.cursor else {})
            self._say(self.data, COMMAND="SUBSCRIBE", id=1, topics=[wish])
        elif frame["COMMAND"] == "SUBSCRIBED":
            (found,) = frame["topics"]
            if self.cursor is None:
                self.seq = found["next"] - 1
                self.cursor = {"epoch": found["epoch"], "seq": self.seq, "ck": found["ck"]}
            self.storm.reached(self, "subscribed", self._ready)
        elif frame["COMMAND"] in {"GAP", "REWIND", "END"}:
            self.storm.result.lost += 1

    def _ready(self) -> None:
        self._say(self.control, COMMAND="READY")

    def _take(self, frame: Frame) -> None:
        first, count = frame["first"], len(frame["msgs"])
        result = self.storm.result
        if first > self.seq + 1:
            result.lost += first - self.seq - 1
        elif first <= self.seq:
            result.disordered += 1
        self.seq = first + count - 1
        assert self.cursor is not None
        self.cursor |= {"seq": self.seq, "ck": frame["ck"]}

    def _say(self, wire: Wire | None, **frame: Any) -> None:
        assert wire is not None
        wire.say(websocket.frame(orjson.dumps(frame)))


class Storm:
    """Many components on one thread."""

    def __init__(self, live: AegisLive, count: int) -> None:
        self.live = live
        self.result = Result(components=count)
        self.clients = [Client(self, f"observer-{n}") for n in range(count)]
        self.wires = Wires(live.lines.port, self.result.refusals)
        self._beat_at = 0.0
        self._is_stepwise = True
        self._waiting: list[Callable[[], None]] = []
        self._done = 0

    # The parts

    def connect(self) -> None:
        """Everybody comes, step by step, so that the memory of each step can be told."""
        began, before = time.perf_counter(), machine.resident_bytes(self.live.pid)
        for client in self.clients:
            client.begin()
        sizes = []
        for _ in STEPS:
            self._until(lambda: len(self._waiting) == len(self.clients))
            sizes.append(machine.resident_bytes(self.live.pid) - before)
            going, self._waiting = self._waiting, []
            for go in going:
                go()
        count = len(self.clients)
        self.result.connect_seconds = time.perf_counter() - began
        self.result.control_bytes = sizes[0] / count
        self.result.data_bytes = (sizes[1] - sizes[0]) / count
        self._idle()
        self.result.idle_bytes = (machine.resident_bytes(self.live.pid) - before) / count

    def _idle(self) -> None:
        until = time.perf_counter() + IDLE_SECONDS
        self._until(lambda: time.perf_counter() >= until)

    def reconnect(self) -> None:
        """Everybody comes back at once and goes on after their last record."""
        self._is_stepwise, self._done = False, 0
        began, result = time.perf_counter(), self.result
        result.reconnect_cpu_seconds = -machine.cpu_seconds(self.live.pid)
        result.client_seconds = -time.process_time()
        for client in self.clients:
            client.begin()
        self._until(lambda: self._done == len(self.clients))
        result.reconnect_seconds = time.perf_counter() - began
        result.reconnect_cpu_seconds += machine.cpu_seconds(self.live.pid)
        result.client_seconds += time.process_time()

    def receive(self, seq: int) -> None:
        """Wait until everybody has had this record; what does not come is lost."""
        self._until(lambda: all(client.seq >= seq for client in self.clients))
        self.result.lost += sum(max(0, seq - client.seq) for client in self.clients)

    # What clients call

    def reached(self, client: Client, step: str, go: Callable[[], None]) -> None:
        """Take note of a step, and go on now, or with all others."""
        client.step = step
        if self._is_stepwise:
            self._waiting.append(go)
            return
        if step == STEPS[-1]:
            self._done += 1
            self.result.waits.append(time.perf_counter() - client.began_at)
        go()

    # The loop

    def _until(self, is_true: Callable[[], bool]) -> None:
        give_up_at = time.perf_counter() + GIVE_UP_SECONDS
        while not is_true() and time.perf_counter() < give_up_at:
            self.wires.turn(0.05)
            if time.perf_counter() >= self._beat_at:
                self._beat()

    def _beat(self) -> None:
        self._beat_at = time.perf_counter() + BEAT_SECONDS
        for client in self.clients:
            if client.step and client.control is not None and client.control in self.wires:
                client.control.say(HEARTBEAT)
        self.live.lines.wait(0)


def measure(aegis: Aegis, count: int) -> Result:
    """One storm, from the start of its server to its end."""
    _, core = machine.cores()
    with aegis.running() as live, machine.pinned(core):
        # What the first components of a process bring with them is nobody's share.
        (publisher, *_) = live.components("feed", 1) + live.components("observer", 20)
        storm = Storm(live, count)
        storm.connect()
        seq = publish(publisher)
        storm.receive(seq)
        storm.wires.drop()
        seq = publish(publisher)
        storm.reconnect()
        storm.receive(seq)
        storm.wires.drop()
        return storm.result


def publish(publisher: Component) -> int:
    """Publish some records; the position of the last."""
    items = b",".join([b'{"x":1}'] * RECORDS)
    publisher.data.raw.sendall(published(b'"id":1,"msgs":[' + items + b"]"))
    return int(publisher.data.hear("PUBLISHED")["last"])
