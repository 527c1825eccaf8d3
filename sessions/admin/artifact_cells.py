"""How files of a session look: the rows of their tab, and what may be shown of one."""

import base64
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count
from django.urls import reverse

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from sessions.core import file_types
from sessions.files import content as contents
from sessions.models import Artifact, Session
from sessions.selectors import artifacts as reading

LAST = 200
LARGEST = 1024 * 1024
"""Of what is shown on a page, in bytes."""
LONGEST = 20_000
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


class Preview(NamedTuple):
    """What a page shows of a file: a text, or a picture as an address, or why neither."""

    text: str = ""
    picture: str = ""
    why: str = ""
    is_cut: bool = False


def address(row: Artifact) -> str:
    """The page of a file."""
    return reverse("admin:aegis_sessions_session_artifact", args=[row.session_id, row.pk])


def content_address(row: Artifact) -> str:
    """Where its bytes are downloaded by whoever is signed in."""
    return f"/api/v1/sessions/{row.session_id}/artifacts/{row.pk}/content"


def panel(session: Session, *, now: datetime) -> dict[str, Any]:
    """The files of a session as rows, the one that was written last first."""
    newest = reading.newest(session.pk).order_by("-created_at", "-pk")
    found = list(newest.select_related("run")[: LAST + 1])
    named = Artifact.objects.filter(session=session, name__in={one.name for one in found})
    counts = dict(named.values_list("name").annotate(count=Count("pk")))
    return {
        "rows": [{**described(one, now=now), "count": counts[one.name]} for one in found[:LAST]],
        "is_cut": len(found) > LAST,
        "last": LAST,
    }


def described(row: Artifact, *, now: datetime) -> dict[str, Any]:
    """A file in words."""
    return {
        "artifact": row,
        "address": address(row),
        "content": content_address(row),
        "by": f"run {row.run.place}" if row.run else row.author.partition(":")[2] or row.author,
        "at": marks.clock(row.created_at, now=now),
    }


def preview(row: Artifact) -> Preview:
    """
    What may be shown: texts as they stand, pictures that browsers only ever draw.

    What it is, its bytes say. Pages and drawings with scripts in them are texts here.
    """
    if row.size > LARGEST:
        return Preview(why="It is too large to be shown here.")
    try:
        content = reading.content(row)
    except AegisError as error:
        return Preview(why=error.message)
    if contents.is_text(content):
        text = content.decode()
        return Preview(text=text[:LONGEST], is_cut=len(text) > LONGEST)
    kind = contents.signature(content)
    if kind in PICTURES:
        return Preview(picture=f"data:{kind};base64,{base64.b64encode(content).decode()}")
    return Preview(why=f"{kind or file_types.UNKNOWN.content_type} is not shown here.")
