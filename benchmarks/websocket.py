"""As much of a WebSocket client as a load generator needs: blocking to connect, raw to read."""

import base64
import os
import socket
import struct
from collections.abc import Iterator

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
CONNECT_SECONDS = 30.0
# Masking with zeros leaves the payload as it is, and is as good as any other mask to a server.
NO_MASK = b"\0\0\0\0"


def connect(port: int, path: str, *, receive_bytes: int = 0) -> socket.socket:
    """
    A socket that has been upgraded; it blocks, for at most 30 s at a time.

    With ``receive_bytes`` the system takes not much more than that before it is read.
    """
    raw = socket.socket()
    raw.settimeout(CONNECT_SECONDS)
    if receive_bytes:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    raw.connect(("127.0.0.1", port))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw.sendall(request(port, path))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = raw.recv(1)
        if not byte:
            break
        head += byte
    if b" 101 " not in head:
        raise ConnectionError(f"No upgrade: {head[:200]!r}")
    return raw


def request(port: int, path: str) -> bytes:
    """The request for an upgrade."""
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """One masked frame."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + NO_MASK + payload


def split(data: bytes) -> Iterator[tuple[int, int, int]]:
    """
    The whole frames in what was read, as (opcode, start, end) of their payloads.

    What comes after the last ``end`` is the beginning of a frame that has not come whole. Servers
    do not fragment frames of this size, so a fragment is an error.
    """
    at, there = 0, len(data)
    while there - at >= 2:
        size, start = data[at + 1], at + 2
        if size == 126:
            if there - at < 4:
                return
            size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
        elif size == 127:
            if there - at < 10:
                return
            size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
        if there - start < size:
            return
        if data[at] & 0xF0 != 0x80:
            raise ValueError("A fragmented or compressed frame")
        yield data[at] & 0x0F, start, start + size
        at = start + size
