"""Preparing and moving the clock of a historical session."""

from typing import Any

from django.conf import settings

from aegis_project.kit.errors import ValidationFailed
from sessions.core.lifecycle import Mode
from sessions.models import Replay, Session


def prepare(session: Session) -> Replay | None:
    """
    Note the source of a new historical session; None for a session that has none.

    :raises ValidationFailed: for a source that no administrator named
    """
    source = session.config.get("source")
    if session.mode != Mode.HISTORICAL or source is None:
        return None
    return Replay.objects.create(session=session, source=check(source))


def check(source: Any) -> dict[str, Any]:
    """The source, if it is well-formed and of a known dataset."""
    if not isinstance(source, dict) or source.get("dataset") not in settings.DATASETS:
        raise ValidationFailed("The source names no dataset of this server.", source=source)
    return source
