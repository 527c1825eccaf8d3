"""What waits for people in the sessions of a list: a column, and the line below the table."""

from collections import Counter
from collections.abc import Mapping, Sequence

from aegis_project.kit.errors import AegisError, PermissionDenied
from aegis_project.kit.principal import Principal
from sessions.core.approvals import State
from sessions.management import output
from sessions.management.client import Client
from sessions.models import Session
from sessions.selectors import odds

# Of a session how many decisions wait; None is what whoever asks may not know.
Waits = Mapping[str, int] | None
MOST = 10_000
NONE = "-"


def here(principal: Principal, rows: Sequence[Session]) -> Waits:
    """What waits in these sessions of this machine."""
    found = odds.waiting(principal, [row.pk for row in rows])
    return None if found is None else {str(pk): count for pk, count in found.items()}


def there(server: Client) -> Waits:
    """What waits in the sessions that a credential sees there."""
    try:
        rows, _ = server.several("approvals", limit=MOST, state=State.PENDING.value)
    except AegisError as error:
        if error.code == PermissionDenied.code:
            return None
        raise
    return Counter(row["session"] for row in rows)


def cell(waits: Waits, session: str) -> str:
    """How many wait in one session."""
    count = 0 if waits is None else waits.get(session, 0)
    return str(count) if count else NONE


def tell(waits: Waits, ids: Sequence[str]) -> None:
    """How many sessions there are, and what lists the decisions that wait in them."""
    count = len(ids)
    said = f"{count} session{'' if count == 1 else 's'}."
    wait = 0 if waits is None else sum(waits.get(one, 0) for one in ids)
    if wait:
        said += f" {wait} approval{' waits' if wait == 1 else 's wait'}:  aegis approval list"
    output.say(said)
