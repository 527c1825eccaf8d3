"""What a session remembers, changed one thing at a time."""

from typing import Any

import msgspec

from aegis_project.kit.errors import PayloadTooLarge
from aegis_project.kit.principal import Principal
from sessions.core.events import SessionEvent
from sessions.services import moving, telling
from sessions.services.moving import Reference
from sessions.services.outcome import Outcome
from streaming.services.commands import command

LONGEST_KEY = 200
MOST_BYTES = 256 * 1024
"""Of the whole memory as JSON."""


@command("session.remember", scope="sessions:write")
def remember(*, principal: Principal, session: Reference, key: str, value: Any) -> Outcome:
    """
    Keep a value under a key, or forget it if the value is null; whatever else there is stays.

    :raises SessionNotFound: if the session is not there for the principal
    :raises InvalidState: if it is closed
    :raises PayloadTooLarge: if the memory would have more than :data:`MOST_BYTES`
    """
    row = moving.locked(principal, session)
    if not row.is_open:
        raise moving.illegal(row, "remember")
    changed = {name: one for name, one in row.memory.items() if name != key}
    if value is not None:
        changed[key] = value
    if len(msgspec.json.encode(changed)) > MOST_BYTES:
        raise PayloadTooLarge("The session remembers as much as it may.", max_bytes=MOST_BYTES)
    if changed != row.memory:
        row.memory = changed
        row.version += 1
        row.save(update_fields=["memory", "version", "updated_at"])
        telling.tell(row, SessionEvent.UPDATED, actor=principal.actor, fields=["memory"])
    return Outcome(row, row.state)
