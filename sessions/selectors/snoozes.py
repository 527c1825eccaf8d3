"""What the checks find, and who left what of it alone."""

from collections.abc import Collection
from dataclasses import replace

from django.db import DatabaseError

from aegis_project import health
from aegis_project.health import Finding, Snoozed
from sessions.models import Snooze


def examine(only: Collection[str] = ()) -> list[Finding]:
    """
    What all checks find, or those of these names, each with the snooze that it has.

    A database that does not answer is a finding of its own, and then nothing is snoozed.
    """
    found = health.examine(only)
    lasting = _lasting()
    return [replace(one, snoozed=lasting.get((one.check, one.state))) for one in found]


def _lasting() -> dict[tuple[str, str], Snoozed]:
    try:
        rows = list(Snooze.objects.lasting())
    except DatabaseError:
        return {}
    return {(row.item, row.state): Snoozed(row.author, row.reason, row.until) for row in rows}
