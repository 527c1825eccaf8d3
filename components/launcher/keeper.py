"""
Keep one program: start it, read what it prints, end it; a keeper outlives its launcher.

``python -S -m components.launcher.keeper FOLDER NAME``, with the order as one JSON object on
standard input. It listens on ``NAME.sock`` for a launcher, holds ``NAME.lock`` while it lives and
writes to ``NAME.json`` what became of the process. It needs nothing but the standard library, so
that it is small and starts fast.
"""

import contextlib
import errno
import fcntl
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from components.launcher import notes
from components.launcher.output import Lines, Log
from components.launcher.peer import Message, Peer

# How it ends itself when another keeper lives, or a later order was carried out.
TAKEN = 3
# How long output may come after the process ended, from others that hold the pipe.
AFTERMATH_SECONDS = 0.5
# How soon it is told that lines were left out, when none comes that could be kept.
TELLING_SECONDS = 1.0
# A process that KILL does not end at once waits for its disk, and is tried again.
STUBBORN_SECONDS = 5.0
# Another attempt would come to the same.
HOPELESS = {errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR, errno.EPERM, errno.EISDIR}
NOT_STARTED = 127


class Keeper:
    """One process and the launcher that is connected, if one is."""

    def __init__(self, name: str, order: Message) -> None:
        self.name, self.order = name, order
        self.log = Log(order)
        self.selector = selectors.DefaultSelector()
        self.process: subprocess.Popen[bytes] | None = None
        self.pipes: list[Lines] = []
        self.exit: Message | None = None
        self.closes_at: float | None = None
        self.kills_at: float | None = None
        self.peer: Peer | None = None
        self.is_known = False
        self.heard_at = self.started_at = time.monotonic()

    # The process

    def start(self) -> None:
        """Start the program in a process group of its own; one that cannot be is an end too."""
        self._listen()
        try:
            self.process = subprocess.Popen(  # noqa: S603 -- an administrator registered it
                self.order["argv"],
                cwd=self.order["directory"],
                env=self.order["environment"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            message = f"{error.strerror}: {error.filename or self.order['argv'][0]}"
            is_hopeless = error.errno in HOPELESS
            self._ended(NOT_STARTED, message=message, is_hopeless=is_hopeless)
            return
        for stream, pipe in (("stdout", self.process.stdout), ("stderr", self.process.stderr)):
            assert pipe is not None  # noqa: S101 -- asked for above
            lines = Lines(stream, pipe, self.log, most_bytes=self.order["line_bytes"])
            self.pipes.append(lines)
            self.selector.register(pipe, selectors.EVENT_READ, lambda one=lines: self._read(one))
        self._note()

    def _read(self, lines: Lines) -> None:
        if not lines.read():
            self.selector.unregister(lines.pipe)
            self.pipes.remove(lines)

    def stop(self, grace_seconds: float) -> None:
        """Send TERM to the whole group, and KILL when the grace is over."""
        if self.process is not None and self.kills_at is None:
            self._signal(signal.SIGTERM)
            self.kills_at = time.monotonic() + grace_seconds

    def _signal(self, number: signal.Signals) -> None:
        # The group is there as long as its first process was not waited for.
        if self.process is not None and self.exit is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def _reap(self) -> None:
        if self.process is None or self.exit is not None:
            return
        if os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return
        # Whatever it started and left behind goes with it.
        self._signal(signal.SIGKILL)
        self._ended(self.process.wait())

    def _ended(self, code: int, *, message: str = "", is_hopeless: bool = False) -> None:
        seconds = time.monotonic() - self.started_at
        self.exit = {
            "code": code,
            "seconds": seconds,
            "message": message,
            "is_hopeless": is_hopeless,
        }
        self.closes_at = time.monotonic() + AFTERMATH_SECONDS
        self._note()

    def _note(self) -> None:
        pid, attempt = self.pid, self.order["attempt"]
        said = {"attempt": attempt, "pid": pid, "born": notes.born(pid), "exit": self.exit}
        notes.write(self.name, said)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    # The launcher

    def _listen(self) -> None:
        path = f"{self.name}.sock"
        Path(path).unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.listener.settimeout(0)
        self.selector.register(self.listener, selectors.EVENT_READ, self._accept)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            peer = Peer(self.listener.accept()[0], self)
            self.selector.register(peer.socket, selectors.EVENT_READ, peer.read)

    def greet(self, peer: "Peer", fence: int) -> None:
        """Take this launcher, unless one with a higher fence was here."""
        if self.peer is not None and self.peer.fence > fence:
            peer.close()
            return
        if self.peer is not None:
            self.peer.close()
        self.peer, peer.fence = peer, fence
        self.is_known = False
        peer.say({"attempt": self.order["attempt"], "pid": self.pid})

    def hear(self, peer: "Peer", message: Message) -> None:
        """Do what a launcher says."""
        if "fence" in message:
            self.greet(peer, message["fence"])
        if self.peer is not peer:
            return
        self.heard_at = time.monotonic()
        if "stop" in message:
            self.stop(message["stop"])
        if "taken" in message:
            self.log.forget(message["taken"])
            peer.is_busy = False
        self.is_known = self.is_known or "bye" in message

    def drop(self, peer: "Peer") -> None:
        """The connection of a launcher is gone."""
        with contextlib.suppress(KeyError, ValueError):
            self.selector.unregister(peer.socket)
        if self.peer is peer:
            self.peer = None

    # Time

    def run(self) -> None:
        """Keep on until the end is known, or nobody comes to hear of it."""
        while not (self.is_known and self.exit is not None):
            for key, _ in self.selector.select(self._pause()):
                key.data()
            self._reap()
            self._look_at_the_clock()
            if self.peer is not None:
                self.peer.tell()
            if self.exit is not None and time.monotonic() >= self.forgotten_at:
                return

    def _pause(self) -> float:
        if self.exit is None:
            ends = [self.forgotten_at if self.kills_at is None else self.kills_at]
        else:
            ends = [self.closes_at or self.forgotten_at]
        now = time.monotonic()
        if self.log.dropped:
            ends.append(now + TELLING_SECONDS)
        return max(0.01, min(ends) - now)

    @property
    def forgotten_at(self) -> float:
        """When nobody is waited for any more who might want to know."""
        return self.heard_at + float(self.order["patience_seconds"])

    def _look_at_the_clock(self) -> None:
        now = time.monotonic()
        if now >= self.forgotten_at:
            self.stop(self.order["grace_seconds"])
        if self.kills_at is not None and now >= self.kills_at:
            self._signal(signal.SIGKILL)
            self.kills_at = now + STUBBORN_SECONDS
        if self.closes_at is not None and (now >= self.closes_at or not self.pipes):
            self._close()
        self.log.settle()

    def _close(self) -> None:
        for lines in tuple(self.pipes):
            self._read(lines)
        for lines in self.pipes:
            self.selector.unregister(lines.pipe)
        self.pipes.clear()
        self.log.close()
        self.closes_at = None

    @property
    def is_told(self) -> bool:
        """Whether nothing more will be printed."""
        return self.exit is not None and self.closes_at is None


def main(folder: str, name: str) -> int:
    """Carry one order out, unless it was overtaken."""
    order = json.load(sys.stdin)
    os.chdir(folder)
    os.umask(0o077)
    with open(f"{name}.lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return TAKEN
        if notes.read(Path(), name)["attempt"] >= order["attempt"]:
            return TAKEN
        keeper = Keeper(name, order)
        woken, waker = socket.socketpair()
        for end in (woken, waker):
            end.settimeout(0)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: keeper.stop(order["grace_seconds"]))
        keeper.selector.register(woken, selectors.EVENT_READ, lambda: woken.recv(4096))
        keeper.start()
        keeper.run()
        Path(f"{name}.sock").unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
