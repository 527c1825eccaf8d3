"""Giving links to files, and withdrawing them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import links
from sessions.core.links import LONGEST, SHORTEST, USUAL, Kind, Link
from sessions.selectors import artifacts, attachments
from sessions.selectors import links as reading
from sessions.services import moving
from sessions.services.moving import Reference
from streaming.services.commands import Trace, command

FIND = {Kind.ARTIFACT: artifacts.find, Kind.ATTACHMENT: attachments.find}


@dataclass(frozen=True, slots=True)
class Issued:
    """A link, until when it holds, and the session of its file."""

    link: Link
    expires_at: datetime
    session_id: UUID

    def audit(self) -> Trace:
        return Trace(
            session_id=self.session_id,
            target=str(self.link.file),
            # Who reads the audit is not given the file.
            detail={"kind": self.link.kind.value, "expires_at": self.expires_at.isoformat()},
        )


@command("file.link", scope="messages:read")
def issue(
    *,
    principal: Principal,
    session: Reference,
    kind: Kind,
    file: UUID | str,
    seconds: int = USUAL,
) -> Issued:
    """
    Give a link with which everybody who has it reads a file for so many seconds.

    :raises SessionNotFound: if the session is not there for the principal
    :raises ArtifactNotFound: if it has none of this id; of an attachment, AttachmentNotFound
    :raises ValidationFailed: for less than a minute or more than a day
    """
    if not SHORTEST <= seconds <= LONGEST:
        raise ValidationFailed(
            f"A link holds {SHORTEST} to {LONGEST} seconds.", fields=["expires_in"]
        )
    row = moving.locked(principal, session)
    found: Any = FIND[kind](row.pk, file)
    until = int(timezone.now().timestamp()) + seconds
    link = links.sign(
        kind,
        found.pk,
        session=row.pk,
        until=until,
        withdrawn=reading.withdrawn(found),
        key=reading.keys()[0],
    )
    return Issued(link, datetime.fromtimestamp(until, tz=UTC), row.pk)


@command("file.unlink", scope="messages:write")
def withdraw(*, principal: Principal, session: Reference, kind: Kind, file: UUID | str) -> Any:
    """
    Make all links to a file that were given until now worthless; the file, as a row.

    :raises SessionNotFound: if the session is not there for the principal
    :raises ArtifactNotFound: if it has none of this id; of an attachment, AttachmentNotFound
    """
    row = moving.locked(principal, session)
    found: Any = FIND[kind](row.pk, file)
    found.metadata = {**found.metadata, reading.WITHDRAWN: reading.withdrawn(found) + 1}
    found.save(update_fields=["metadata"])
    return found
