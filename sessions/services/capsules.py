"""A session as one file: writing it, and making a session of one that somebody brings."""

from dataclasses import dataclass
from typing import IO

from aegis_project import database
from aegis_project.kit.errors import PermissionDenied
from aegis_project.kit.principal import Principal
from aegis_project.kit.progress import Progress, silent
from sessions.core.capsule import Manifest
from sessions.files import storage
from sessions.files.capsules import Reader, Writer
from sessions.models import Session
from sessions.selectors import capsules, sessions
from sessions.services import capsule_rows
from sessions.services.moving import Reference
from sessions.services.outcome import Outcome
from streaming.selectors import logs
from streaming.services.commands import Trace, command

READS = ("events:read", "messages:read", "runs:read", "approvals:read", "topics:read")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written of a session, and what proves it."""

    session: Session
    manifest: Manifest


def export(
    *, principal: Principal, session: Reference, file: IO[bytes], progress: Progress = silent
) -> Exported:
    """
    Write the capsule of a session: all that is its own, as it is at one moment.

    Nobody who writes meanwhile waits for it.

    Texts in documents whose names say that they are secrets are left out; credentials, grants and
    connections are not in it.

    :raises PermissionDenied: without the scopes or the topics that reading all of it needs
    :raises SessionNotFound: if it is not there for the principal
    :raises PayloadTooLarge: if there is more than a capsule may hold
    """
    asked = _ask(principal=principal, session=session).session
    writer = Writer(file)
    with database.snapshot():
        # It may be gone by now; an answer is about what is written.
        row = sessions.find(principal, asked)
        head = logs.ledger_head(row.pk)
        for number, (name, lines) in enumerate(capsules.tables(row.pk)):
            progress("tables", number, capsules.TABLE_COUNT)
            writer.lines(f"rows/{name}.ndjson", lines)
        for name, lines in capsules.used(row.pk):
            writer.lines(f"used/{name}.ndjson", lines)
        files = list(capsules.files(row.pk))
        for number, (sha256, path) in enumerate(files):
            progress("files", number, len(files))
            writer.pieces(f"files/{sha256}", [storage.read(path)])
        progress("files", len(files), len(files))
        return Exported(row, writer.close(session=row.key, head=head))


@dataclass(frozen=True, slots=True)
class Asked:
    """The session of which somebody may have everything."""

    session: Session

    def audit(self) -> Trace:
        detail = {"head": logs.ledger_head(self.session.pk)}
        return Trace(session_id=self.session.pk, target=self.session.key, detail=detail)


# The audit knows of it before anything is handed out.
@command("session.export", scope="sessions:read")
def _ask(*, principal: Principal, session: Reference) -> Asked:
    for scope in READS:
        principal.require(scope)
    row = sessions.find(principal, session)
    if not all(logs.may_see(principal, name) for name in logs.names(row.pk)):
        raise PermissionDenied("Your topics are not all of it.")
    return Asked(row)


def may(principal: Principal) -> bool:
    """Whether somebody may have all of a session, but for topics that patterns keep away."""
    return all(map(principal.allows, ("sessions:read", *READS)))


def check_bringer(principal: Principal) -> None:
    """
    Go on only for who may bring a session in.

    :raises PermissionDenied: without sessions:write and sessions:control
    """
    for scope in ("sessions:write", "sessions:control"):
        principal.require(scope)


@command("session.import", scope="sessions:write")
def bring(
    *,
    principal: Principal,
    capsule: Reader,
    key: str = "",
    team: str = "",
    progress: Progress = silent,
) -> Outcome:
    """
    Make a session of a capsule: under its own ids and key if nobody has them, else under new ones.

    Nothing of it goes on by itself: it is paused if it ran, and runs, calls and decisions that were
    open are cancelled. It has no credential and no grant. It is there whole or not at all;
    ``progress`` hears of the rows that are written.

    :raises PermissionDenied: without the scope sessions:control, too
    :raises ValidationFailed: for a row that is none, or that leads out of the capsule
    :raises SessionAlreadyExists: if the key that was asked for is taken
    """
    check_bringer(principal)
    row = capsule_rows.write(capsule, principal=principal, key=key, team=team, progress=progress)
    return Outcome(row, row.state)
