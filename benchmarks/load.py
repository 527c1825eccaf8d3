"""The load generator: one publisher, many subscribers, one thread, every message checked."""

import select
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks import machine, websocket
from benchmarks.candidates.base import Client, Live, Reading

READ_BYTES = 1 << 18
BEAT_SECONDS = 2.0
# Every tenth subscriber's waiting times are kept, over all places of the fan.
SAMPLED = 10
# Frames with the same beginning are mostly the same frame for another subscriber.
KEY_BYTES, KNOWN_FRAMES = 96, 1024
LAST_SECONDS = 10.0


@dataclass(slots=True)
class Result:
    """One run; ``waits`` are seconds from before the send to after the read, sampled."""

    subscribers: int = 0
    seconds: float = 0.0
    deliveries: int = 0
    frames: int = 0
    cpu_seconds: float = 0.0
    client_seconds: float = 0.0
    lost: int = 0
    disordered: int = 0
    bytes_each: float = 0.0
    waits: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Deliveries per second."""
        return self.deliveries / self.seconds

    @property
    def batch(self) -> float:
        """Messages per frame."""
        return self.deliveries / self.frames if self.frames else 0.0

    @property
    def cpu_per_100k(self) -> float:
        """Seconds of the server's core for 100,000 deliveries."""
        return self.cpu_seconds / self.deliveries * 100_000 if self.deliveries else 0.0

    @property
    def busy(self) -> float:
        """
        The share of its core that the server used.

        Far below one at saturation, something else had the core, and the rate is not its own.
        """
        return self.cpu_seconds / self.seconds

    @property
    def client_busy(self) -> float:
        """The share of its own core that the load generator used; near one, it was the limit."""
        return self.client_seconds / self.seconds

    def wait_ms(self, share: float) -> float:
        """The waiting time that this share of the messages did not exceed."""
        ordered = sorted(self.waits)
        return ordered[int(share * (len(ordered) - 1))] * 1000 if ordered else 0.0


@dataclass(slots=True, eq=False)
class Peer:
    """A socket in the loop; ``expects`` is the next number, or -1 for one that gets no messages."""

    client: Client
    expects: int
    is_sampled: bool = False
    rest: bytes = b""


class Fan:
    """A candidate with its clients connected."""

    def __init__(self, live: Live, subscribers: int) -> None:
        self.live = live
        self._scan = getattr(live, "scan", None)
        # Set from another thread, it ends a flood before its time.
        self.is_stopped = False
        connected = live.connect(subscribers)
        self.bytes_each = connected.bytes_each
        self.subscribers = [
            Peer(client, 0, is_sampled=n % SAMPLED == 0)
            for n, client in enumerate(connected.subscribers)
        ]
        self.publisher = Peer(connected.publisher, -1)
        self.companions = [Peer(client, -1) for client in connected.companions]
        self.sent_at: list[float] = []
        self.result = Result()
        self._known: dict[bytes, tuple[bytes, Reading | None]] = {}
        self._beat_at = time.perf_counter() + BEAT_SECONDS
        self._epoll = select.epoll()
        self._peers: dict[int, Peer] = {}
        for peer in [*self.subscribers, self.publisher, *self.companions]:
            self._peers[peer.client.raw.fileno()] = peer
            self._epoll.register(peer.client.raw, select.EPOLLIN)

    def close(self) -> None:
        """Drop every connection."""
        self._epoll.close()
        for peer in self._peers.values():
            peer.client.raw.close()

    # Runs

    def saturate(self, *, seconds: float, warm_up_seconds: float, window: int) -> Result:
        """Keep ``window`` messages on their way: the next goes when all subscribers have one."""
        start = time.perf_counter() + warm_up_seconds
        self._flood(until=start, window=window)
        self._begin()
        self._flood(until=time.perf_counter() + seconds, window=window)
        return self._conclude()

    def pace(self, *, seconds: float, warm_up_seconds: float, rate: float) -> Result:
        """Publish at a fixed rate, one message at a time, whatever comes of it."""
        self._tick(until=time.perf_counter() + warm_up_seconds, rate=rate)
        self._begin()
        self._tick(until=time.perf_counter() + seconds, rate=rate)
        return self._conclude()

    def _flood(self, *, until: float, window: int) -> None:
        while time.perf_counter() < until and not self.is_stopped:
            free = window - (len(self.sent_at) - self._delivered())
            if free > 0:
                self._publish(free)
            self._read(0.05)

    def _tick(self, *, until: float, rate: float) -> None:
        due = time.perf_counter()
        while (now := time.perf_counter()) < until:
            if now >= due:
                self._publish(1)
                due += 1 / rate
            self._read(max(0.0, due - time.perf_counter()))

    def _begin(self) -> None:
        self.result = Result(subscribers=len(self.subscribers), bytes_each=self.bytes_each)
        self.result.seconds = -time.perf_counter()
        self.result.cpu_seconds = -machine.cpu_seconds(self.live.pid)
        self.result.client_seconds = -time.process_time()

    def _conclude(self) -> Result:
        result = self.result
        result.seconds += time.perf_counter()
        result.cpu_seconds += machine.cpu_seconds(self.live.pid)
        result.client_seconds += time.process_time()
        # What is still on its way must come too, but counts no more.
        self.result = Result()
        give_up_at = time.perf_counter() + LAST_SECONDS
        while self._delivered() < len(self.sent_at) and time.perf_counter() < give_up_at:
            self._read(0.05)
        missing = sum(len(self.sent_at) - peer.expects for peer in self.subscribers)
        result.lost += self.result.lost + missing
        result.disordered += self.result.disordered
        return result

    # Steps

    def _delivered(self) -> int:
        return min(peer.expects for peer in self.subscribers)

    def _publish(self, count: int) -> None:
        first = len(self.sent_at)
        messages = [message(n) for n in range(first, first + count)]
        sent = self.live.publish(messages)
        self.sent_at += [time.perf_counter()] * count
        self.publisher.client.raw.sendall(sent)

    def _read(self, timeout: float) -> None:
        for descriptor, _ in self._epoll.poll(timeout):
            peer = self._peers[descriptor]
            data = peer.client.raw.recv(READ_BYTES)
            if not data:
                raise ConnectionError("The server closed a connection")
            self._take(peer, peer.client.pending + data if peer.client.pending else data)
        if time.perf_counter() >= self._beat_at:
            self._beat()

    def _take(self, peer: Peer, data: bytes) -> None:
        now, at = time.perf_counter(), 0
        pieces = []
        for opcode, start, end in websocket.split(data):
            at = end
            payload = data[start:end]
            if opcode == websocket.PING:
                peer.client.raw.sendall(websocket.frame(payload, websocket.PONG))
            elif opcode == websocket.CLOSE:
                raise ConnectionError(f"The server closed a connection: {payload!r}")
            elif peer.expects >= 0 and self._scan is None:
                self._deliver(peer, self._reading(payload), now)
            elif peer.expects >= 0:
                pieces.append(payload)
        peer.client.pending = data[at:]
        if pieces:
            self._stream(peer, b"".join([peer.rest, *pieces]), now)

    def _stream(self, peer: Peer, data: bytes, now: float) -> None:
        # Frames of a byte stream end anywhere; what is left begins the next one.
        assert self._scan is not None
        reading, end = self._scan(data)
        peer.rest = data[end:]
        self._deliver(peer, reading, now)

    def _deliver(self, peer: Peer, reading: Reading | None, now: float) -> None:
        if reading is None:
            return
        first, size = reading
        result = self.result
        if first > peer.expects:
            result.lost += first - peer.expects
        elif first < peer.expects:
            result.disordered += 1
        peer.expects = first + size
        result.frames += 1
        result.deliveries += size
        if peer.is_sampled:
            result.waits += [now - sent for sent in self.sent_at[first : first + size]]

    def _reading(self, payload: bytes) -> Reading | None:
        key = payload[:KEY_BYTES]
        known = self._known.get(key)
        # Byte for byte the same: then it says the same, and every byte of it was checked.
        if known is not None and known[0] == payload:
            return known[1]
        reading = self.live.read(payload)
        if len(self._known) >= KNOWN_FRAMES:
            self._known.clear()
        self._known[key] = (payload, reading)
        return reading

    def _beat(self) -> None:
        self._beat_at = time.perf_counter() + BEAT_SECONDS
        frame = self.live.beat()
        for peer in self.companions:
            peer.client.raw.sendall(frame)


def message(n: int) -> bytes:
    """A JSON object of 180 bytes with its number."""
    head = b'{"seq":%d,"symbol":"BTCUSDT","price":"%d.25","note":"' % (n, 60_000 + n % 500)
    return head + b"x" * (178 - len(head)) + b'"}'


def median(results: Sequence[Result]) -> Result:
    """The run with the middle rate."""
    ordered = sorted(results, key=lambda result: result.rate)
    return ordered[len(ordered) // 2]
