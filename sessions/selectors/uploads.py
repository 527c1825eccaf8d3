"""Reading how far files are that come in pieces."""

from datetime import datetime
from uuid import UUID

from sessions.core import keys
from sessions.core.library_errors import UploadNotFound
from sessions.models import Upload

AT_ONCE = 100
"""As many abandoned uploads are looked at in one turn."""


def find(session_id: UUID, upload: UUID | str) -> Upload:
    """
    An upload of a session by id.

    :raises UploadNotFound: if the session has none
    """
    uuid = upload if isinstance(upload, UUID) else keys.as_uuid(upload)
    found = Upload.objects.filter(session_id=session_id, pk=uuid).first() if uuid else None
    if found is None:
        raise UploadNotFound(upload=str(upload))
    return found


def abandoned(*, before: datetime) -> list[tuple[UUID, UUID]]:
    """Uploads with which nobody went on since then, with their sessions, the oldest first."""
    rows = Upload.objects.filter(updated_at__lt=before, session__deleted_at=None)
    return list(rows.order_by("updated_at").values_list("pk", "session_id")[:AT_ONCE])
