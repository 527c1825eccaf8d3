"""Files that come in pieces: begun, taken piece by piece, finished with a digest, or given up."""

import hashlib
import re
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from aegis_project import database
from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed
from aegis_project.kit.principal import Principal
from aegis_project.kit.quotas import Quota
from sessions.core import ranges, sandbox
from sessions.core.library_errors import RangeRefused
from sessions.core.links import Kind
from sessions.core.ranges import Range
from sessions.files import storage
from sessions.models import Session, Upload
from sessions.selectors import uploads as reading
from sessions.services import artifacts, attachments, moving, quotas
from sessions.services.moving import Reference
from streaming.services.commands import command

MAX_BYTES = 100 * 1024 * 1024
MOST_OPEN = 20
"""Uploads of one session that are not finished."""
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


@command("upload.begin", scope="messages:write")
def begin(
    *,
    principal: Principal,
    session: Reference,
    kind: Kind,
    name: str,
    size: int,
    sha256: str = "",
) -> Upload:
    """
    Begin to bring in a file of so many bytes; ``sha256`` (hex) is what it has to be in the end.

    :raises SessionNotFound: if the session is not there for the principal
    :raises InvalidState: if it is closed
    :raises ValidationFailed: for a name that leads elsewhere, no digest, or too many at once
    :raises PayloadTooLarge: above :data:`MAX_BYTES`, or if the session is full
    """
    row = _open(principal, session)
    found = sandbox.name(name)
    if kind == Kind.ATTACHMENT and "/" in found:
        raise ValidationFailed("A file that comes in has a name and no path.", fields=["name"])
    if not 0 < size <= MAX_BYTES:
        raise PayloadTooLarge(max_bytes=MAX_BYTES)
    _digest(sha256)
    waiting = Upload.objects.filter(session=row, file=None)
    if waiting.count() >= MOST_OPEN:
        raise ValidationFailed(f"{MOST_OPEN} uploads are open already.", most=MOST_OPEN)
    planned: int = waiting.aggregate(sum=Sum("size"))["sum"] or 0
    if planned + size > artifacts.MAX_SESSION_BYTES:
        raise PayloadTooLarge(
            "The session holds as many files as it may.", most=artifacts.MAX_SESSION_BYTES
        )
    return Upload.objects.create(
        session=row, kind=kind.value, name=found, size=size, sha256=sha256, author=principal.actor
    )


@command("upload.take", scope="messages:write")
def take(
    *, principal: Principal, session: Reference, upload: UUID | str, piece: Range, content: bytes
) -> Upload:
    """
    Take a piece; one that is here already, or in part, is taken for what is new of it.

    :raises UploadNotFound: if the session has none of this id
    :raises ValidationFailed: if the piece is not what it says
    :raises RangeRefused: if it leaves a gap; ``received`` says where to go on
    """
    row = _open(principal, session)
    found = reading.find(row.pk, upload)
    fresh = ranges.fresh(piece, content, received=found.received, size=found.size)
    if fresh and found.file is None:
        place = found.place(found.received)
        # Of a piece that was written by a process that died before it could say so.
        storage.remove(place)
        storage.write(place, fresh)
        found.parts = [*found.parts, len(fresh)]
        found.received += len(fresh)
        found.updated_at = timezone.now()
        found.save(update_fields=["parts", "received", "updated_at"])
    return found


@command("upload.finish", scope="messages:write")
def finish(
    *, principal: Principal, session: Reference, upload: UUID | str, sha256: str = ""
) -> Upload:
    """
    Make the file of its pieces; finished again, it is the same file.

    :raises UploadNotFound: if the session has none of this id
    :raises RangeRefused: if pieces are missing
    :raises ValidationFailed: without a digest, for another one, or a name that says it is something else
    :raises PayloadTooLarge: if the session is full
    :raises QuotaExceeded: above what the team may store
    """
    row = _open(principal, session)
    found = reading.find(row.pk, upload)
    if found.file is not None:
        return found
    if found.received < found.size:
        raise RangeRefused("Pieces are missing.", received=found.received)
    content = b"".join(map(storage.read, found.places()))
    _prove(content, {one for one in (found.sha256, _digest(sha256)) if one})
    found.file = _kept(principal, row, found, content)
    found.updated_at = timezone.now()
    for place in found.places():
        transaction.on_commit(partial(storage.remove, place))
    found.parts = []
    found.save(update_fields=["file", "parts", "updated_at"])
    return found


@command("upload.cancel", scope="messages:write")
def cancel(*, principal: Principal, session: Reference, upload: UUID | str) -> Upload:
    """
    Give an upload up; a file that it has become stays.

    :raises UploadNotFound: if the session has none of this id
    """
    row = moving.locked(principal, session)
    found = reading.find(row.pk, upload)
    _remove(found)
    return found


def forget_abandoned() -> int:
    """Remove uploads that nobody went on with in time, some of them; how many."""
    before = timezone.now() - timedelta(hours=settings.ENVIRONMENT.unused_upload_hours)
    return sum(_forget(one, session) for one, session in reading.abandoned(before=before))


def _forget(upload_id: UUID, session_id: UUID) -> bool:
    with database.atomic():
        Session.objects.locked(session_id)
        found = Upload.objects.filter(pk=upload_id).first()
        if found is not None:
            _remove(found)
        return found is not None


def _remove(found: Upload) -> None:
    # The piece after the last one may have been written and never noted.
    places = [*found.places(), found.place(found.received)]
    Upload.objects.filter(pk=found.pk).delete()
    for place in places:
        transaction.on_commit(partial(storage.remove, place))


def _open(principal: Principal, session: Reference) -> Session:
    row = moving.locked(principal, session)
    if not row.is_open:
        raise moving.illegal(row, "upload")
    return row


def _digest(text: str) -> str:
    if text and not _DIGEST.match(text):
        raise ValidationFailed("A digest is SHA-256 in hex.", fields=["sha256"])
    return text


def _prove(content: bytes, digests: set[str]) -> None:
    if not digests:
        raise ValidationFailed("A digest says what the file has to be.", fields=["sha256"])
    if digests != {hashlib.sha256(content).hexdigest()}:
        raise ValidationFailed("The digest is another one.", fields=["sha256"])


def _kept(principal: Principal, row: Session, found: Upload, content: bytes) -> UUID:
    if found.kind == Kind.ATTACHMENT.value:
        made: Any = attachments.upload(
            principal=principal, session=row.pk, filename=found.name, content=content
        )
    else:
        artifacts.refuse_if_full(row.pk, len(content))
        quotas.admit(row.team_id, Quota.STORED_BYTES, len(content))
        made = artifacts.keep(
            session_id=row.pk, name=found.name, content=content, author=principal.actor
        )
    file: UUID = made.pk
    return file
