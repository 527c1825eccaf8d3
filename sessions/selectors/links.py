"""Reading the file that a link leads to."""

from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone

from aegis_project.kit.errors import NotFound
from sessions.core import links
from sessions.core.links import Kind
from sessions.files import storage
from sessions.models import Artifact, Attachment, Session

WITHDRAWN = "links_withdrawn"
"""How often the links of a file were withdrawn, in its metadata."""
MODELS: dict[Kind, Any] = {Kind.ARTIFACT: Artifact, Kind.ATTACHMENT: Attachment}


class Opened(NamedTuple):
    """A file that a link leads to."""

    filename: str
    content_type: str
    content: bytes


def opened(text: str) -> Opened:
    """
    The file that a link leads to, for whoever has the link.

    :raises NotFound: for a link that is none, or over, or withdrawn, or to what is gone
    :raises ServiceUnavailable: if the storage does not have it any more
    """
    link = links.read(text)
    row = MODELS[link.kind].objects.filter(pk=link.file).first() if link else None
    if link is None or row is None or not _holds(link, row):
        raise NotFound("There is no such link, or it is over.")
    name = row.name if link.kind == Kind.ARTIFACT else row.filename
    return Opened(name.rpartition("/")[2], row.content_type, storage.read(row.path))


def _holds(link: links.Link, row: Any) -> bool:
    holds = links.holds(
        link,
        session=row.session_id,
        withdrawn=withdrawn(row),
        keys=keys(),
        now=timezone.now().timestamp(),
    )
    return holds and Session.objects.present().filter(pk=row.session_id).exists()


def withdrawn(row: Any) -> int:
    """How often the links of a file were withdrawn."""
    found = row.metadata.get(WITHDRAWN, 0)
    return found if isinstance(found, int) else 0


def keys() -> list[str]:
    """What links are signed with; those signed with former keys hold as well."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
