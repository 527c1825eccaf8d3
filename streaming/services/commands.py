"""The one command runner: permission, idempotency, service, audit."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar, cast
from uuid import UUID

from aegis_project import database
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from streaming.services import audit

P = ParamSpec("P")
T = TypeVar("T")


class Audited(Protocol):
    """A result that knows which session it concerns and what was done to what."""

    def audit(self) -> "Trace": ...


@dataclass(frozen=True, slots=True)
class Trace:
    """What an audit entry says of a command that was carried out."""

    session_id: UUID | None
    target: str
    detail: dict[str, Any]


def command(name: str, *, scope: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """
    Make a service a command: it needs ``scope``, is one transaction, and leaves an audit entry.

    The service takes its arguments by keyword, ``principal`` among them, and returns what
    :func:`trace` understands. The entry of a success stands in the same transaction; that of a
    refusal is written after the rollback.
    """

    def make(service: Callable[P, T]) -> Callable[P, T]:
        def carry_out(*args: P.args, **kwargs: P.kwargs) -> T:
            principal = asking(kwargs)
            principal.require(scope)
            with database.atomic():
                result = service(*args, **kwargs)
                found = trace(result)
                audit.accepted(
                    command=name,
                    principal=principal,
                    session_id=found.session_id,
                    target=found.target,
                    detail=found.detail,
                )
            return result

        @wraps(service)
        def run(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return carry_out(*args, **kwargs)
            except AegisError as error:
                with database.atomic():
                    audit.refused(
                        command=name,
                        principal=asking(kwargs),
                        target=target_of(kwargs),
                        error=error,
                    )
                raise

        return run

    return make


def asking(arguments: dict[str, Any]) -> Principal:
    """Who asks, of the arguments of a command."""
    return cast(Principal, arguments["principal"])


def trace(result: Any) -> Trace:
    """What the result says of itself, or a trace of the row that it is."""
    if hasattr(result, "audit"):
        return cast(Audited, result).audit()
    session_id = getattr(result, "session_id", None)
    return Trace(session_id=session_id, target=str(getattr(result, "pk", "")), detail={})


def target_of(arguments: dict[str, Any]) -> str:
    """How the refused request named its target."""
    for name in ("session", "component", "credential", "key", "topic"):
        value = arguments.get(name)
        if value:
            # It is whatever the caller said; PostgreSQL takes no NUL.
            return str(getattr(value, "pk", value)).replace("\x00", "")[:200]
    return ""
