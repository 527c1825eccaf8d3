"""Reading the files that came in with messages."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from sessions.core import file_types, keys
from sessions.core.conversation import AttachmentKind
from sessions.core.errors import AttachmentNotFound
from sessions.core.turns import Media
from sessions.files import storage
from sessions.models import Attachment

MAX_SHOWN = 100_000
"""Characters of a text file that a model is shown."""
AT_ONCE = 100
"""As many unused files are looked at in one turn."""


def find(session_id: UUID, attachment: UUID | str) -> Attachment:
    """
    One attachment of a session by id.

    :raises AttachmentNotFound: if the session has none
    """
    uuid = attachment if isinstance(attachment, UUID) else keys.as_uuid(attachment)
    found = Attachment.objects.filter(session_id=session_id, pk=uuid).first() if uuid else None
    if found is None:
        raise AttachmentNotFound(attachment=str(attachment))
    return found


def of_session(session_id: UUID) -> QuerySet[Attachment]:
    """The attachments of a session."""
    return Attachment.objects.filter(session_id=session_id)


def unused(*, before: datetime) -> list[tuple[UUID, UUID]]:
    """Files that came before then and that no message took, with their sessions, the oldest first."""
    rows = Attachment.objects.filter(message=None, created_at__lt=before, session__deleted_at=None)
    return list(rows.order_by("created_at").values_list("pk", "session_id")[:AT_ONCE])


def content(attachment: Attachment) -> bytes:
    """
    The bytes of a file.

    :raises ServiceUnavailable: if the storage does not have it any more
    """
    return storage.read(attachment.path)


def media(attachment: Attachment) -> Media | None:
    """A file as a model is shown it, if it is one of those that models see as they are."""
    if attachment.content_type not in file_types.SHOWABLE:
        return None
    return Media(attachment.content_type, content(attachment), attachment.filename)


def in_words(attachment: Attachment) -> str:
    """A file as it stands in the text of its message: a text whole, of another what it is."""
    name = attachment.filename
    if attachment.content_type in file_types.TEXTUAL:
        text = content(attachment).decode(errors="replace")
        end = "\n[cut]" if len(text) > MAX_SHOWN else ""
        return f"\n\n[file {name}]\n{text[:MAX_SHOWN]}{end}\n[end of {name}]"
    what = "picture" if attachment.kind == AttachmentKind.IMAGE else "file"
    return f"\n\n[{what} {name}: {attachment.content_type}, {attachment.size} bytes]"
