"""Files for a session at a server that was named: in pieces, which go on where they were."""

import hashlib
import threading
from pathlib import Path
from typing import Any

from aegis_project.kit.errors import ServiceUnavailable
from sessions.management import output, progress
from sessions.management.client import Client
from sessions.management.far import Document
from sessions.management.output import How, Misused

PIECE_BYTES = 1024 * 1024
# A server that does not answer is asked again so many times, with these seconds between.
TRIES, PAUSE_SECONDS = 6, 2.0


def write(
    server: Client, *, session: str, file: Path, name: str, is_json: bool, is_quiet: bool
) -> None:
    """Write a file into a session there; what was brought is not brought again."""
    done = brought(server, session, file, name=name or file.name, kind="artifact")
    row = server.get("sessions", done["session_id"], "artifacts", done["file"])
    sentence = f"{row['name']}  version {row['version']}  {row['size']} bytes"
    how = How(is_json, is_quiet)
    output.show_one(how, "artifact.write", row, identity=row["id"], sentence=sentence)


def brought(server: Client, session: str, file: Path, *, name: str, kind: str) -> Document:
    """
    A file that was brought into a session there, in pieces; ``file`` of it is what it has become.

    :raises Misused: for a file that cannot be read
    :raises ServiceUnavailable: when the server stays away
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Misused(f"{error.strerror}: {file}") from None
    said = {
        "name": name,
        "size": len(content),
        "kind": kind,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    begun = server.send("POST", "sessions", session, "uploads", body=said)
    place = ("sessions", begun["session_id"], "uploads", begun["id"])
    _bring(server, place, content)
    done: Document = server.send("POST", *place, "finish")
    return done


def _bring(server: Client, place: tuple[str, ...], content: bytes) -> None:
    """
    Put all pieces, from where the server says it is whenever it was away.

    :raises ServiceUnavailable: when it stays away
    """
    tells, received, misses = progress.told(), 0, 0
    while received < len(content):
        try:
            piece = content[received : received + PIECE_BYTES]
            said: Any = server.put(*place, content=piece, first=received, size=len(content))
            received, misses = said["received"], 0
            tells("brought", received, len(content))
        except ServiceUnavailable:
            misses += 1
            if misses >= TRIES:
                raise
            threading.Event().wait(PAUSE_SECONDS)
