"""What a refusal may not do: change anything, tell anything, go unnoticed."""

from streaming.models import AuditEntry
from tests.integration.access import world as worlds
from tests.integration.access.world import Actor, World


def unchanged(world: World, tables: set[str]) -> list[str]:
    """What a refusal has changed; what it wrote and took back is not."""
    touched = tables - worlds.ASIDE
    now = worlds.snapshot(touched) if touched else {}
    return [f"changed {table}" for table in now if now[table] != world.rows[table]]


def audited(actor: Actor) -> list[str]:
    """Whether the refusal of a command is in the audit, with who it was."""
    if actor.is_anonymous:
        return []
    last = AuditEntry.objects.order_by("-pk").first()
    told = (last.outcome, last.principal_id) if last else ()
    return [] if told == ("refused", actor.principal.id) else ["no audit"]


def told(world: World, text: str) -> list[str]:
    """What is said of the world to who may not know of it."""
    found = [one for one in world.secrets if one in text]
    return [f"is told {found}: {text[:300]}"] if found else []
