"""Files that belong to messages: kept in the session's sandbox, given with one, removed."""

import hashlib
import mimetypes
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from aegis_project import database
from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed
from aegis_project.kit.principal import Principal
from aegis_project.kit.quotas import Quota
from sessions.core import conversation, sandbox
from sessions.core.conversation import MIB
from sessions.core.errors import AttachmentNotFound, InvalidMessage
from sessions.core.events import WorkEvent
from sessions.core.file_types import FileType
from sessions.core.turns import Media
from sessions.files import content as contents
from sessions.files import storage
from sessions.models import Attachment, Message, Session
from sessions.selectors import attachments as selecting
from sessions.services import messages, quotas
from sessions.services.moving import Reference
from streaming.services import ledger
from streaming.services.commands import command

MOST = 50
"""Of one message, and waiting for one, in a session that says nothing of it."""
MAX_BYTES = 100 * MIB
"""Of one file, in a session that says nothing of it."""
MAX_SESSION_BYTES = 1024 * MIB
"""Of all attachments of one session."""
ACTOR = "system:files"


@command("attachment.upload", scope="messages:write")
def upload(
    *, principal: Principal, session: Reference, filename: str, content: bytes
) -> Attachment:
    """
    Keep a file that a message will be given with; what it is, its content says.

    :raises SessionNotFound: if the session is not there for the principal
    :raises SessionExpired: if its time is over
    :raises InvalidState: if it is closed
    :raises ValidationFailed: for an empty file, a name that leads elsewhere, a name that says it is
        something else, or too many that wait for a message
    :raises PayloadTooLarge: above what the session takes of one file, or of all
    :raises QuotaExceeded: above what the team may store
    """
    row = messages.opened(principal, session, "upload")
    name = sandbox.name(filename)
    if "/" in name:
        raise ValidationFailed("A file that comes in has a name and no path.", fields=["file"])
    _refuse_beyond_limits(row, content)
    quotas.admit(row.team_id, Quota.STORED_BYTES, len(content))
    found = contents.detect(name, content)
    return _kept(row, name, found, content, author=principal.actor)


def _kept(
    session: Session,
    name: str,
    type_: FileType,
    content: bytes,
    *,
    author: str,
    message: Message | None = None,
) -> Attachment:
    made = Attachment(
        id=uuid4(),
        session=session,
        message=message,
        filename=name,
        content_type=type_.content_type,
        kind=type_.kind.value,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        author=author,
    )
    made.path = storage.path_of(session.pk, "attachments", made.pk)
    storage.write(made.path, content)
    made.save(force_insert=True)
    _tell_upload(made)
    return made


def fitting(session: Session, files: Sequence[Media]) -> list[Media]:
    """Those of the files that a model made, in their order, for which session and team have room."""
    if not files:
        return []
    rows = Attachment.objects.filter(session=session)
    room = MAX_SESSION_BYTES - int(rows.aggregate(used=Sum("size"))["used"] or 0)
    room = quotas.room(session.team_id, Quota.STORED_BYTES, most=room)
    found = []
    for one in files[:MOST]:
        if 0 < len(one.data) <= min(room, MAX_BYTES):
            found.append(one)
            room -= len(one.data)
    return found


def show(session: Session, message: Message, files: Sequence[Media], *, author: str) -> None:
    """Keep what a model made beside its text with the message, in the caller's transaction."""
    for number, one in enumerate(files, 1):
        name, type_ = _named(one, number)
        _kept(session, name, type_, one.data, author=author, message=message)


def _named(media: Media, number: int) -> tuple[str, FileType]:
    """The name that the model gave, if that is one and fits; else one of what it is."""
    plain = f"file-{number}{mimetypes.guess_extension(media.media_type) or ''}"
    for name in (media.name, plain):
        try:
            if name and "/" not in sandbox.name(name):
                return name, contents.detect(name, media.data)
        except ValidationFailed:
            continue
    return f"file-{number}", contents.detect(f"file-{number}", media.data)


@command("attachment.delete", scope="messages:write")
def delete(*, principal: Principal, session: Reference, attachment: UUID | str) -> Attachment:
    """
    Remove a file, also of a message; that it was there stays in the ledger.

    :raises SessionNotFound: if the session is not there for the principal
    :raises SessionExpired: if its time is over
    :raises InvalidState: if it is closed
    :raises AttachmentNotFound: if it has none of this id
    """
    row = messages.opened(principal, session, "delete")
    found = selecting.find(row.pk, attachment)
    _remove(found)
    if found.message_id is not None:
        Message.objects.filter(pk=found.message_id).update(
            attachment_count=F("attachment_count") - 1, updated_at=timezone.now()
        )
    _tell_removal(found, actor=principal.actor)
    return found


def waiting(session: Session, ids: Sequence[UUID]) -> list[Attachment]:
    """
    The files of these ids, which are to be given with one message.

    :raises InvalidMessage: for too many, or one twice
    :raises AttachmentNotFound: for one that the session does not have, or that was given already
    """
    if not ids:
        return []
    most = _most(session)
    if len(ids) > most or len(set(ids)) < len(ids):
        raise InvalidMessage(f"A message has at most {most} attachments, each once.", most=most)
    found = Attachment.objects.filter(session=session, message=None).in_bulk(list(ids))
    for one in ids:
        if one not in found:
            raise AttachmentNotFound(attachment=str(one))
    return [found[one] for one in ids]


def give(message: Message, files: Sequence[Attachment]) -> None:
    """Give files with a message; those of another message are given again, as they are."""
    for file in files:
        if file.message_id is not None:
            file.pk = uuid4()
            file._state.adding = True
        file.message = message
        file.save()


def forget_unused() -> int:
    """
    Remove files that no message took in time, some of them; how many.

    That time is the setting ``AEGIS_UNUSED_UPLOAD_HOURS``. Where a session is closed its ledger
    has ended, and nothing more is told there.
    """
    before = timezone.now() - timedelta(hours=settings.ENVIRONMENT.unused_upload_hours)
    return sum(forget(one, session) for one, session in selecting.unused(before=before))


def forget(attachment_id: UUID, session_id: UUID) -> bool:
    """Remove a file unless a message took it meanwhile; whether it did."""
    with database.atomic():
        session = Session.objects.locked(session_id)
        found = Attachment.objects.filter(pk=attachment_id, message=None).first()
        if found is None:
            return False
        _remove(found)
        if session.is_open:
            _tell_removal(found, actor=ACTOR)
        return True


def _remove(file: Attachment) -> None:
    Attachment.objects.filter(pk=file.pk).delete()
    if not Attachment.objects.filter(path=file.path).exists():
        transaction.on_commit(partial(storage.remove, file.path))


def _most(session: Session) -> int:
    return conversation.limits(session.config).max_attachments or MOST


def _refuse_beyond_limits(session: Session, content: bytes) -> None:
    largest = conversation.limits(session.config).max_attachment_size or MAX_BYTES
    if not content:
        raise ValidationFailed("The file is empty.", fields=["file"])
    if len(content) > largest:
        raise PayloadTooLarge(max_bytes=largest)
    most, rows = _most(session), Attachment.objects.filter(session=session)
    if rows.filter(message=None).count() >= most:
        raise ValidationFailed(f"{most} files wait for a message already.", most=most)
    used: int = rows.aggregate(used=Sum("size"))["used"] or 0
    if used + len(content) > MAX_SESSION_BYTES:
        raise PayloadTooLarge("The session holds as many files as it may.", most=MAX_SESSION_BYTES)


def _tell_upload(made: Attachment) -> None:
    ledger.append(
        session_id=made.session_id,
        type=WorkEvent.ATTACHMENT_UPLOADED.value,
        actor=made.author,
        attachment=made.pk,
        filename=made.filename,
        content_type=made.content_type,
        size=made.size,
        sha256=made.sha256,
    )


def _tell_removal(file: Attachment, *, actor: str) -> None:
    ledger.append(
        session_id=file.session_id,
        type=WorkEvent.ATTACHMENT_DELETED.value,
        actor=actor,
        attachment=file.pk,
        filename=file.filename,
    )
