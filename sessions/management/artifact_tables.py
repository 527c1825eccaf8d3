"""The files of a session as the command line shows them; and those of a server."""

import sys
from pathlib import Path
from typing import Any

from aegis_project.kit import strict
from aegis_project.kit.errors import NotFound
from sessions.api import tool_documents as documents
from sessions.core import keys, sandbox
from sessions.files.analyzers.base import Kind, Target
from sessions.management import beginnings, far, output
from sessions.management.client import Client
from sessions.management.far import Document
from sessions.management.listing import Shape
from sessions.management.output import How, Misused
from sessions.management.session_options import MAX_BYTES
from sessions.models import Artifact
from streaming.api import codecs

WIDTH = 160
SHAPE: Shape[Artifact] = Shape(
    noun="artifact",
    document=lambda one: codecs.show(documents.artifact(one)),
    name="id",
    columns={
        "ID": lambda one: str(one["id"]),
        "NAME": lambda one: one["name"],
        "VERSION": lambda one: str(one["version"]),
        "SIZE": lambda one: str(one["size"]),
        "TYPE": lambda one: one["content_type"],
        "AGE": lambda one: far.moment(one["created_at"]),
    },
    sentence=lambda one: (
        f"{one['name']}  version {one['version']}  {one['size']} bytes  {one['content_type']}"
    ),
)


def far_list(
    server: Client, *, session: str, folder: str, limit: int, is_json: bool, is_quiet: bool
) -> None:
    """The files of a session there."""
    begin = f"{sandbox.name(folder)}/" if folder else ""
    most = beginnings.MOST if folder else limit
    rows, has_more = server.several("sessions", session, "artifacts", limit=most)
    if folder:
        beneath = [one for one in rows if one["name"].startswith(begin)]
        rows, has_more = beneath[:limit], has_more or len(beneath) > limit
    if has_more:
        output.say(f"There are more than {limit}; see --limit.")
    SHAPE.tell(How(is_json, is_quiet), "list", rows, has_more=has_more)


def far_generate(
    server: Client, *, session: str, name: str, said: Path, is_json: bool, is_quiet: bool
) -> None:
    """Make a file there of what a file here says."""
    wanted = strict.decode(read(said), max_bytes=MAX_BYTES)
    if not isinstance(wanted, dict):
        raise Misused(f"{said} has to be a JSON object.")
    body = {**wanted, "name": name}
    row = server.send("POST", "sessions", session, "artifacts", "generate", body=body)
    SHAPE.tell_one(How(is_json, is_quiet), "generate", row)


def far_read(
    server: Client,
    *,
    session: str,
    name: str,
    version: int | None,
    file: Path | None,
    is_json: bool,
    is_quiet: bool,
) -> None:
    """A file there as it was written."""
    if file is None and is_json:
        raise Misused("With --json, --output says where the file goes.")
    row = _found(server, session, name, version)
    with server.asked("GET", ["sessions", session, "artifacts", row["id"], "content"]) as answer:
        content = answer.read()
    if file is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    write(file, content)
    SHAPE.tell_one(How(is_json, is_quiet), "read", {**row, "file": str(file)})


def far_analyze(
    server: Client,
    *,
    session: str,
    name: str,
    version: int | None,
    kind: Kind,
    query: str,
    to: Target,
    most: int,
    is_json: bool,
    is_quiet: bool,
) -> None:
    """Look into a file there."""
    row = _found(server, session, name, version)
    asked = {"analysis_type": kind, "query": query, "to": to, "max_content_length": most}
    found = server.get("sessions", session, "artifacts", row["id"], "analysis", **asked)
    if is_json or is_quiet:
        how = How(is_json, is_quiet)
        output.show_one(how, "artifact.analyze", found, identity=row["id"], sentence="")
        return
    tell(row["name"], found)


def far_link(
    server: Client,
    *,
    session: str,
    name: str,
    version: int | None,
    seconds: int,
    is_withdrawn: bool,
    is_json: bool,
    is_quiet: bool,
) -> None:
    """Give a link to a file there, or make those given worthless."""
    how, row = How(is_json, is_quiet), _found(server, session, name, version)
    place = ("sessions", session, "artifacts", row["id"], "link")
    if is_withdrawn:
        server.send("DELETE", *place)
        SHAPE.tell_one(how, "link.withdraw", {**row, "withdrawn": True})
        return
    made = server.send("POST", *place, body={"expires_in": seconds})
    told = {"path": made["url"], "expires_at": made["expires_at"]}
    output.show_one(how, "artifact.link", told, identity=made["url"], sentence=made["url"])


def far_remove(
    server: Client,
    *,
    session: str,
    name: list[str],
    is_sure: bool,
    is_dry: bool,
    is_json: bool,
    is_quiet: bool,
) -> None:
    """Remove files there."""

    def act(one: str) -> Document:
        row = _found(server, session, one, None)
        server.send("DELETE", "sessions", session, "artifacts", row["id"])
        return row

    SHAPE.remove_by(
        How(is_json, is_quiet),
        name,
        read=lambda one: _found(server, session, one, None),
        act=act,
        is_sure=is_sure,
        is_dry=is_dry,
    )


def _found(server: Client, session: str, name: str, version: int | None) -> Document:
    """
    The newest version of a file by its name, its id or the beginning of that, or another version.

    :raises NotFound: if there is none
    """
    place = ("sessions", session, "artifacts")
    rows, _ = server.several(*place, limit=beginnings.MOST)
    row = next((one for one in rows if one["name"] == name), None)
    if row is None:
        whole = keys.only((one["id"] for one in rows), name) if keys.span(name) else name
        row = server.get(*place, whole)
    if version is not None and version != row["version"]:
        others = server.get(*place, row["id"], "versions")["data"]
        row = next((one for one in others if one["version"] == version), None)
        if row is None:
            raise NotFound(f"There is no version {version} of {name}.")
    found: Document = row
    return found


def write(file: Path, content: bytes) -> None:
    """
    Write a file here.

    :raises Misused: for one that cannot be written
    """
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Misused(f"--output: {error.strerror}: {file}") from None


def read(file: Path) -> bytes:
    """
    What a file here has in it.

    :raises Misused: for one that cannot be read
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise Misused(f"{error.strerror}: {file}") from None


def tell(name: str, found: Document) -> None:
    """What was found, for people: a line for each figure, then the content."""
    error = found["error"]
    output.say(f"{name}  {found['analyzer']}  {found['format']}  {found['size']} bytes")
    if error is not None:
        output.say(f"{error['code']}: {error['message']}")
    for field, value in [*found["metadata"].items(), *found["data"].items()]:
        output.say(f"  {field}: {_short(value)}")
    if found["content"]:
        output.plain(found["content"])


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else output.dump(value)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"
