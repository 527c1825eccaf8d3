"""Many sockets on one thread, none of which is waited for."""

import select
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from benchmarks import websocket

READ_BYTES = 65536
Frame = dict[str, Any]


@dataclass(slots=True, eq=False)
class Wire:
    """One socket, and what is done when it is open and with each frame that comes."""

    raw: socket.socket
    on_open: Callable[[], None]
    on_frame: Callable[[Frame], None]
    pending: bytes = b""
    is_open: bool = False

    def say(self, frame: bytes) -> None:
        """Send a frame."""
        self.raw.sendall(frame)


class Wires:
    """The sockets to one server; ``refusals`` counts those that it refuses or closes."""

    def __init__(self, port: int, refusals: Counter[str]) -> None:
        self._port, self._refusals = port, refusals
        self._epoll = select.epoll()
        self._all: dict[int, Wire] = {}

    def __contains__(self, wire: Wire) -> bool:
        return wire.raw.fileno() in self._all

    def open(self, path: str, on_open: Callable[[], None], on_frame: Callable[..., None]) -> Wire:
        """A socket on its way to being upgraded."""
        raw = socket.socket()
        raw.settimeout(0)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.connect_ex(("127.0.0.1", self._port))
        wire = Wire(raw, on_open, on_frame)
        self._all[raw.fileno()] = wire
        self._epoll.register(raw, select.EPOLLOUT)
        wire.pending = websocket.request(self._port, path)
        return wire

    def drop(self) -> None:
        """Cut all of them off, without a word."""
        for wire in self._all.values():
            self._epoll.unregister(wire.raw)
            wire.raw.close()
        self._all.clear()

    def turn(self, seconds: float) -> None:
        """Serve those that have something, or wait so long for one."""
        for descriptor, events in self._epoll.poll(seconds):
            self._serve(self._all[descriptor], events)

    def _serve(self, wire: Wire, events: int) -> None:
        if events & select.EPOLLOUT:
            wire.raw.sendall(wire.pending)
            wire.pending = b""
            self._epoll.modify(wire.raw, select.EPOLLIN)
            return
        try:
            data = wire.raw.recv(READ_BYTES)
        except ConnectionError:
            data = b""
        if not data:
            self._gone(wire)
            return
        wire.pending += data
        if not wire.is_open:
            self._upgrade(wire)
        if wire.is_open:
            self._read(wire)

    def _upgrade(self, wire: Wire) -> None:
        head, end, rest = wire.pending.partition(b"\r\n\r\n")
        if end and b" 101 " not in head:
            self._refusals[head[:30].decode()] += 1
            self._gone(wire)
        elif end:
            wire.pending, wire.is_open = rest, True
            wire.on_open()

    def _read(self, wire: Wire) -> None:
        data, at = wire.pending, 0
        for opcode, start, end in websocket.split(data):
            at = end
            if opcode == websocket.PING:
                wire.say(websocket.frame(data[start:end], websocket.PONG))
            elif opcode == websocket.CLOSE:
                code = int.from_bytes(data[start : start + 2], "big")
                self._refusals[f"closed {code}"] += 1
            elif opcode == websocket.TEXT:
                wire.on_frame(orjson.loads(data[start:end]))
        wire.pending = data[at:]

    def _gone(self, wire: Wire) -> None:
        self._refusals["gone"] += 1
        self._epoll.unregister(wire.raw)
        del self._all[wire.raw.fileno()]
        wire.raw.close()
