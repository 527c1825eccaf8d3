"""The bounds that keep a hub's memory and waiting finite."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """
    All of them hold per process or per connection, on every server.

    A flush waits ``floor_seconds`` after the one before it, or as long as that one took. A send
    that does not return for ``stuck_seconds``, or more than ``unsent_bytes`` that stay in a server
    without back-pressure so long, ends the connection; ``goodbye_seconds`` is what it gets to take
    the last frames. ``answers`` bounds the answers waiting for one connection, ``turn_frames`` what
    one subscription may send before others have their turn. Connections of a session that ends
    have ``drain_seconds`` to take what is left. A component that a replay waits for is left
    behind after ``block_seconds``. Sockets are closed when a store that other processes share has
    been away for ``away_seconds``. ``shelf_bytes`` bounds the encoded frames kept for sharing.
    """

    floor_seconds: float = 0.001
    stuck_seconds: float = 7.0
    goodbye_seconds: float = 1.0
    unsent_bytes: int = 262_144
    unsent_poll_seconds: float = 0.01
    answers: int = 1024
    turn_frames: int = 64
    drain_seconds: float = 5.0
    block_seconds: float = 30.0
    away_seconds: float = 30.0
    idle_proof_seconds: float = 5.0
    look_seconds: float = 1.0
    unused_seconds: float = 60.0
    shelf_bytes: int = 8 * 1024 * 1024
    connections: int = 20_000
    subscriptions: int = 10_000
