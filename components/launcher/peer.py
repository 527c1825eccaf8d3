"""A keeper's connection to a launcher: lines of JSON over a local socket."""

import json
import socket
from typing import Any, Protocol

from components.launcher.output import Log

# A launcher that takes nothing for so long is as good as none.
SEND_SECONDS = 5.0

Message = dict[str, Any]


class Owner(Protocol):
    """The keeper, as its connections know it."""

    log: Log
    exit: Message | None

    @property
    def is_told(self) -> bool:
        """Whether nothing more will be printed."""

    def hear(self, peer: "Peer", message: Message) -> None:
        """Do what a launcher says."""

    def drop(self, peer: "Peer") -> None:
        """The connection of a launcher is gone."""


class Peer:
    """A connection to a launcher: lines of JSON, both ways."""

    def __init__(self, connection: socket.socket, keeper: Owner) -> None:
        self.socket, self.keeper = connection, keeper
        self.fence = 0
        self.is_busy = self.has_told_end = False
        self._rest = b""
        connection.settimeout(SEND_SECONDS)

    def read(self) -> None:
        """Take what came."""
        try:
            data = self.socket.recv(65_536)
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self.keeper.hear(self, json.loads(line))

    def tell(self) -> None:
        """Send the next lines once the last were taken, and the end behind all of them."""
        batch = self.keeper.log.batch()
        if batch and not self.is_busy:
            self.is_busy = True
            self.say({"lines": batch})
        if self.keeper.is_told and not batch and not self.has_told_end:
            self.has_told_end = True
            self.say({"exit": self.keeper.exit})

    def say(self, message: Message) -> None:
        """Send one message; a launcher that is gone does not hear it."""
        try:
            self.socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self.close()

    def close(self) -> None:
        self.keeper.drop(self)
        self.socket.close()
