"""Files that are made in a session: each write is a version, and none is changed."""

import hashlib
import mimetypes
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Max, Sum

from aegis_project.kit.errors import PayloadTooLarge
from aegis_project.kit.principal import Principal
from aegis_project.kit.quotas import Quota
from sessions.core import sandbox
from sessions.core.events import WorkEvent
from sessions.files import storage
from sessions.models import Artifact, Run
from sessions.selectors import artifacts as selecting
from sessions.services import moving, quotas
from sessions.services.moving import Reference
from streaming.services import ledger
from streaming.services.commands import command

MAX_BYTES = 10 * 1024 * 1024
"""Of one file that is written on purpose."""
MAX_SESSION_BYTES = 1024 * 1024 * 1024
"""Of all files of one session."""
UNKNOWN = "application/octet-stream"


@command("artifact.create", scope="messages:write")
def create(
    *,
    principal: Principal,
    session: Reference,
    name: str,
    content: bytes,
    content_type: str = "",
    run: Run | None = None,
    metadata: dict[str, Any] | None = None,
) -> Artifact:
    """
    Write a file in a session's sandbox; a name that is there gets a new version.

    :raises SessionNotFound: if the session is not there for the principal
    :raises InvalidState: if it is closed
    :raises ValidationFailed: for a name that leads elsewhere
    :raises PayloadTooLarge: above :data:`MAX_BYTES`, or if the session is full
    :raises QuotaExceeded: above what the team may store
    """
    row = moving.locked(principal, session)
    if not row.is_open:
        raise moving.illegal(row, "write")
    if len(content) > MAX_BYTES:
        raise PayloadTooLarge(max_bytes=MAX_BYTES)
    refuse_if_full(row.pk, len(content))
    quotas.admit(row.team_id, Quota.STORED_BYTES, len(content))
    return keep(
        session_id=row.pk,
        name=sandbox.name(name),
        content=content,
        content_type=content_type,
        author=principal.actor,
        run=run,
        metadata=metadata,
    )


@command("artifact.delete", scope="messages:write")
def delete(*, principal: Principal, session: Reference, artifact: UUID | str) -> Artifact:
    """
    Remove one version of a file.

    :raises SessionNotFound: if the session is not there for the principal
    :raises ArtifactNotFound: if it has none of this id
    """
    row = moving.locked(principal, session)
    found = selecting.find(row.pk, artifact)
    Artifact.objects.filter(pk=found.pk).delete()
    ledger.append(
        session_id=row.pk,
        type=WorkEvent.ARTIFACT_DELETED.value,
        actor=principal.actor,
        artifact=found.pk,
        name=found.name,
        version=found.version,
    )
    transaction.on_commit(partial(storage.remove, found.path))
    return found


def keep(
    *,
    session_id: UUID,
    name: str,
    content: bytes,
    author: str,
    content_type: str = "",
    run: Run | None = None,
    metadata: dict[str, Any] | None = None,
) -> Artifact:
    """
    Write a file in the caller's transaction; ``name`` was judged before.

    Two that may write the same name have locked the session. Should the transaction be rolled back,
    the bytes stay behind under an id that nobody has.

    :raises ServiceUnavailable: if the storage does not take it
    """
    made = Artifact(
        id=uuid4(),
        session_id=session_id,
        name=name,
        version=_next_version(session_id, name),
        content_type=content_type or mimetypes.guess_type(name)[0] or UNKNOWN,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        run=run,
        author=author,
        metadata=metadata or {},
    )
    made.path = storage.path_of(session_id, "artifacts", made.pk)
    storage.write(made.path, content)
    made.save(force_insert=True)
    _tell(made)
    return made


def _tell(made: Artifact) -> None:
    ledger.append(
        session_id=made.session_id,
        type=WorkEvent.ARTIFACT_CREATED.value,
        actor=made.author,
        artifact=made.pk,
        name=made.name,
        version=made.version,
        content_type=made.content_type,
        size=made.size,
        sha256=made.sha256,
        run=made.run_id,
    )


def _next_version(session_id: UUID, name: str) -> int:
    versions = Artifact.objects.filter(session_id=session_id, name=name)
    last: int | None = versions.aggregate(last=Max("version"))["last"]
    return (last or 0) + 1


def refuse_if_full(session_id: UUID, more: int) -> None:
    """
    Go on only if a session has room for so many bytes more.

    :raises PayloadTooLarge: if it has not
    """
    used: int | None = Artifact.objects.filter(session_id=session_id).aggregate(used=Sum("size"))[
        "used"
    ]
    if (used or 0) + more > MAX_SESSION_BYTES:
        raise PayloadTooLarge("The session holds as many files as it may.", most=MAX_SESSION_BYTES)
