"""A session's ledger as it stands in the database, read beside the server and recomputed."""

import hashlib
import sqlite3
from contextlib import closing
from typing import Any
from uuid import UUID

import psycopg

from tests.e2e.places import Place

LOG = """
    SELECT id, epoch, head, ck FROM aegis_streaming_log WHERE name = 'ledger' AND session_id = {}
"""
EVENTS = "SELECT seq, ck, type, body FROM aegis_streaming_event WHERE log_id = {} ORDER BY seq"
STATE = "SELECT state, version FROM aegis_sessions_session WHERE id = {}"


def rows(place: Place, query: str, value: Any) -> list[Any]:
    """The rows of a query with one parameter, which stands at ``{}``."""
    url = place.settings.get("AEGIS_DATABASE_URL")
    if url:
        with psycopg.connect(url) as connection:
            return connection.execute(query.format("%s"), [value]).fetchall()
    given = value.hex if isinstance(value, UUID) else value
    with closing(sqlite3.connect(place.home / "aegis.sqlite3")) as file:
        return file.execute(query.format("?"), [given]).fetchall()


def state(place: Place, session_id: str) -> tuple[str, int]:
    """State and version of a session."""
    found: tuple[str, int] = rows(place, STATE, UUID(session_id))[0]
    return found


def sound_types(place: Place, session_id: str) -> list[str]:
    """The types of all events, once their numbers have no gap and their chain is recomputed."""
    ((log_id, epoch, head, told),) = rows(place, LOG, UUID(session_id))
    found = rows(place, EVENTS, log_id)
    ck = hashlib.sha256(b"ledger\0" + epoch.encode()).digest()[:8]
    for place_in_order, (seq, own, _, body) in enumerate(found, 1):
        ck = hashlib.sha256(ck + seq.to_bytes(8, "big") + body.encode()).digest()[:8]
        assert (seq, own) == (place_in_order, ck.hex())
    assert (head, told) == (len(found), ck.hex())
    return [type_ for _, _, type_, _ in found]
