"""How a session is answered, after reading it or after a command."""

from typing import Any

from django.utils import timezone
from rest_framework.response import Response

from sessions.api import documents
from sessions.models import Session
from sessions.selectors import sessions
from sessions.services.outcome import Outcome
from streaming.api import codecs


def shown(
    row: Session, *, secret: str = "", previous: str = "", is_alone: bool = False
) -> dict[str, Any]:
    """The document of one session as plain values; one that is alone was made just now."""
    now = timezone.now()
    view = sessions.view_alone(row, now=now) if is_alone else sessions.view(row, now=now)
    return codecs.show(documents.document(view, now=now, secret=secret, previous=previous))


def session(row: Session, *, fields: str = "") -> Response:
    """A session that was read, with its version as ETag."""
    [picked] = codecs.pick([shown(row)], fields, documents.SessionDocument)
    return _tagged(row, picked, status=200)


def outcome(found: Outcome, *, status: int = 200) -> Response:
    """A session that a command was carried out on, with the state before it."""
    shows = shown(found.session, secret=found.secret, previous=found.previous)
    return _tagged(found.session, shows, status=status)


def made(found: Outcome, *, is_alone: bool) -> Response:
    """A session that was made; if it is alone, nobody was declared who takes part in it."""
    shows = shown(found.session, secret=found.secret, previous=found.previous, is_alone=is_alone)
    response = _tagged(found.session, shows, status=201)
    response["Location"] = f"/api/v1/sessions/{found.session.pk}"
    return response


def _tagged(row: Session, data: dict[str, Any], *, status: int) -> Response:
    return Response(data, status=status, headers={"ETag": f'"{row.version}"'})
