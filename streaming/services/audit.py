"""Writing audit entries."""

from typing import Any
from uuid import UUID

from aegis_project import statements
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from streaming.models import AuditEntry


def accepted(
    *, command: str, principal: Principal, session_id: UUID | None, target: str, detail: Any
) -> None:
    """Note that a command was carried out, in the transaction that carried it out."""
    entry = statements.new(
        AuditEntry,
        command=command,
        session_id=session_id,
        target=target,
        outcome=AuditEntry.Outcome.OK,
        detail=detail,
        **_who(principal),
    )
    statements.insert(entry)


def refused(
    *,
    command: str,
    principal: Principal,
    session_id: UUID | None = None,
    target: str,
    error: AegisError,
) -> None:
    """Note that a command was refused, after its transaction was rolled back."""
    AuditEntry.objects.create(
        command=command,
        session_id=session_id,
        target=target,
        outcome=AuditEntry.Outcome.REFUSED,
        code=error.code,
        detail={"message": error.message[:500]},
        **_who(principal),
    )


def _who(principal: Principal) -> dict[str, str]:
    return {
        "actor": principal.actor[:200],
        "principal_id": principal.id,
        "transport": principal.transport,
        "request_id": principal.request_id,
    }
