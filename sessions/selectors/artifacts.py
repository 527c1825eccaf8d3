"""Reading the files that were made in a session."""

from typing import NamedTuple
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Substr

from sessions.core import keys, sandbox
from sessions.core.errors import ArtifactNotFound
from sessions.files import storage
from sessions.models import Artifact

MOST = 10_000
"""Files of one sandbox that are looked at for a folder."""


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


class Part(NamedTuple):
    """A folder in a folder: how many files are beneath it, and their bytes."""

    name: str
    files: int
    size: int


class Folder(NamedTuple):
    """What is in a folder of a sandbox; ``is_cut`` if there was more than is looked at."""

    parts: list[Part]
    files: list[Artifact]
    is_cut: bool


def folder(session_id: UUID, name: str = "") -> Folder:
    """
    What is in a folder of a session's sandbox, of the sandbox itself without a name.

    Folders are what the names of files say. 10 000 files are looked at, in the order of names.

    :raises ValidationFailed: for a name that leads elsewhere
    :raises ArtifactNotFound: if there is no such folder
    """
    rows = beneath(session_id, name) if name else newest(session_id)
    found = list(rows.values_list("pk", "name", "size")[: MOST + 1])
    if name and not found:
        raise ArtifactNotFound(artifact=name)
    parts, files = dict[str, Part](), []
    for pk, whole, size in found[:MOST]:
        first, slash, _ = whole[len(name) + 1 if name else 0 :].partition("/")
        if slash:
            before = parts.get(first, Part(first, 0, 0))
            parts[first] = Part(first, before.files + 1, before.size + size)
        else:
            files.append(pk)
    known = Artifact.objects.in_bulk(files)
    return Folder(list(parts.values()), [known[pk] for pk in files], len(found) > MOST)


def beneath(session_id: UUID, folder: str) -> QuerySet[Artifact]:
    """
    The files beneath a folder in their newest versions, in the order of names.

    :raises ValidationFailed: for a name that leads elsewhere
    """
    begin = f"{sandbox.name(folder)}/"
    # Not LIKE, which SQLite does without the case of letters.
    rows = newest(session_id).annotate(begin=Substr("name", 1, len(begin)))
    return rows.filter(begin=begin)


def content(artifact: Artifact) -> bytes:
    """
    The bytes of a file.

    :raises ServiceUnavailable: if the storage does not have it any more
    """
    return storage.read(artifact.path)
