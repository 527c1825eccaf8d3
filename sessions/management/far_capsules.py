"""`aegis session export` and `import` against a server that was named."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from aegis_project.kit.errors import ServiceUnavailable
from aegis_project.kit.progress import Progress
from sessions.files.capsules import Reader
from sessions.management import files, output, progress
from sessions.management.client import PIECE_BYTES, Answered, Client
from sessions.management.output import How, Misused

LINES = "application/x-ndjson"
# A server that does not answer is asked again so many times, with these seconds between.
TRIES, PAUSE_SECONDS = 3, 2.0
# A capsule is written whole before the first of it comes.
PATIENCE_SECONDS = 600.0
REFUSED = 400


def export(server: Client, *, session: str, file: Path, is_json: bool, is_quiet: bool) -> None:
    """A session there as one file here, which is proven before it is one."""
    try:
        with files.whole(file) as made:
            size = _download(server, session, made)
            made.seek(0)
            found = Reader(made, progress=progress.told())
            [row] = found.rows("session")
    except OSError as error:
        raise Misused(f"--output: {error.strerror}: {file}") from None
    manifest = found.manifest
    told = {"file": str(file), "digest": manifest.digest, "head": manifest.head, "size": size}
    show_export(How(is_json, is_quiet), {"session": str(row["id"]), **told})


def show_export(how: How, told: dict[str, Any]) -> None:
    """Tell what was written of a session."""
    sentence = f"{told['file']}  {told['size']} bytes  {told['head']} events  {told['digest']}"
    output.show_one(how, "session.export", told, identity=told["digest"], sentence=sentence)


def _download(server: Client, session: str, made: IO[bytes]) -> int:
    tells, received = progress.told(), 0
    asked = server.asked("GET", ["sessions", session, "capsule"], timeout=PATIENCE_SECONDS)
    with asked as response:
        total = int(response.headers["Content-Length"])
        while piece := response.read(PIECE_BYTES):
            made.write(piece)
            received += len(piece)
            tells("received", received, total)
    if received < total:
        raise ServiceUnavailable("The server broke off; nothing was written.")
    return received


def bring(
    server: Client, *, file: Path, key: str, team: str, is_json: bool, is_quiet: bool
) -> None:
    """Make a session there of a file here, once, however often the server was away."""
    try:
        with file.open("rb") as opened:
            last = _persistently(server, opened, {"key": key, "team": team})
    except OSError as error:
        raise Misused(f"{error.strerror}: {file}") from None
    if last["status"] >= REFUSED:
        raise Answered(last["error"], last["status"])
    row = last["data"]
    sentence = f"{output.state(row['state'])}  {row['key']}  {row['name']}".rstrip()
    how = How(is_json, is_quiet)
    output.show_one(how, "session.import", row, identity=row["id"], sentence=sentence)


def _persistently(server: Client, file: IO[bytes], named: dict[str, str]) -> dict[str, Any]:
    once, tells = str(uuid4()), progress.told()
    for _ in range(TRIES - 1):
        try:
            return _brought(server, file, named, once, tells)
        except ServiceUnavailable:
            threading.Event().wait(PAUSE_SECONDS)
    return _brought(server, file, named, once, tells)


def _brought(
    server: Client, file: IO[bytes], named: dict[str, str], once: str, tells: Progress
) -> dict[str, Any]:
    """
    The last line of the answer.

    :raises ServiceUnavailable: if there is none
    """
    boundary, size = uuid4().hex, file.seek(0, 2)
    file.seek(0)
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="capsule"\r\n\r\n'
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    headers = {
        "Accept": LINES,
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Content-Length": str(len(head) + size + len(tail)),
        "Idempotency-Key": once,
    }
    body = _form(file, head, tail, lambda done: tells("brought", done, size))
    query = {name: value for name, value in named.items() if value}
    with server.asked(
        "POST", ["sessions", "import"], query=query, body=body, headers=headers
    ) as response:
        for line in response:
            said: dict[str, Any] = json.loads(line)
            if "status" in said:
                return said
            tells(said["stage"], said["done"], said["total"])
    raise ServiceUnavailable("The server broke off; it may go on by itself.")


def _form(file: IO[bytes], head: bytes, tail: bytes, tells: Any) -> Iterator[bytes]:
    yield head
    while piece := _piece(file):
        yield piece
        tells(file.tell())
    yield tail


def _piece(file: IO[bytes]) -> bytes:
    try:
        return file.read(PIECE_BYTES)
    except OSError as error:
        # It is sent meanwhile, where every such error would be the server's.
        raise Misused(f"{error.strerror}: {file.name}") from None
