"""Reading what sessions say of their topics."""

from collections.abc import Collection, Mapping
from typing import Any

from aegis_project.database import read_db
from sessions.core import keys
from sessions.models import Session


async def load(session_ids: Collection[str]) -> Mapping[str, Any]:
    """``config.topics`` of these sessions by id, as it was stored; one query."""
    return await read_db(_load, [key for key in session_ids if keys.as_uuid(key)])


def _load(session_ids: Collection[str]) -> Mapping[str, Any]:
    rows = Session.objects.filter(pk__in=session_ids)
    return {str(pk): said for pk, said in rows.values_list("pk", "config__topics")}
