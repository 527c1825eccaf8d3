"""Reading the files that were made in a session."""

from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from sessions.core import keys
from sessions.core.errors import ArtifactNotFound
from sessions.files import storage
from sessions.models import Artifact


def find(session_id: UUID, artifact: UUID | str) -> Artifact:
    """
    One version of a file by its id.

    :raises ArtifactNotFound: if the session has none
    """
    uuid = artifact if isinstance(artifact, UUID) else keys.as_uuid(artifact)
    found = Artifact.objects.filter(session_id=session_id, pk=uuid).first() if uuid else None
    if found is None:
        raise ArtifactNotFound(artifact=str(artifact))
    return found


def named(session_id: UUID, name: str, *, version: int | None = None) -> Artifact:
    """
    A file by its name, in this version or the newest.

    :raises ArtifactNotFound: if the session has none
    """
    rows = versions(session_id, name)
    found = (rows if version is None else rows.filter(version=version)).first()
    if found is None:
        raise ArtifactNotFound(artifact=name)
    return found


def versions(session_id: UUID, name: str) -> QuerySet[Artifact]:
    """All versions of a file, the newest first."""
    return Artifact.objects.filter(session_id=session_id, name=name).order_by("-version")


def newest(session_id: UUID) -> QuerySet[Artifact]:
    """The files of a session in their newest versions, in the order of names."""
    same = Artifact.objects.filter(session_id=session_id, name=OuterRef("name"))
    last = Subquery(same.order_by("-version").values("pk")[:1])
    return Artifact.objects.filter(session_id=session_id, pk=last).order_by("name")


def content(artifact: Artifact) -> bytes:
    """
    The bytes of a file.

    :raises ServiceUnavailable: if the storage does not have it any more
    """
    return storage.read(artifact.path)
