"""The one command runner: permission, idempotency, service, audit."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar, cast
from uuid import UUID

from aegis_project import database, instruments, rates
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from aegis_project.rates import Counted
from streaming import metrics
from streaming.services import audit

# Without the right, or where there is nothing for who asks.
KEPT_OUT = frozenset({403, 404})
# The arguments that name what a command is about, the first of them that was given.
TARGETS = (
    "session",
    "component",
    "credential",
    "key",
    "topic",
    "approval",
    "run",
    "bookmark",
    "grant",
    "trigger",
    "webhook",
)

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


def command(
    name: str, *, scope: str, rate: Counted = Counted.COMMAND
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """
    Make a service a command: it needs ``scope``, is one transaction, and leaves an audit entry.

    The service takes its arguments by keyword, ``principal`` among them, and returns what
    :func:`trace` understands. The entry of a success stands in the same transaction; that of a
    refusal is written after the rollback. It counts as one of ``rate`` for who asks; of refusals
    for more than that, which follow each other, the audit has one in ten seconds.
    """

    def make(service: Callable[P, T]) -> Callable[P, T]:
        def carry_out(*args: P.args, **kwargs: P.kwargs) -> T:
            principal = asking(kwargs)
            rates.admit(rate, principal)
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
            principal = asking(kwargs)
            with instruments.noting(
                command=name, principal=principal.actor, request_id=principal.request_id
            ):
                try:
                    result = carry_out(*args, **kwargs)
                except AegisError as error:
                    metrics.commands.labels("refused").inc()
                    if rates.is_news(error, principal):
                        note(
                            error,
                            command=name,
                            principal=principal,
                            session_id=session_of(kwargs),
                            target=target_of(kwargs),
                        )
                    raise
            metrics.commands.labels("ok").inc()
            return result

        return run

    return make


def note(
    error: AegisError,
    *,
    command: str,
    principal: Principal,
    target: str,
    session_id: UUID | None = None,
) -> None:
    """Leave the audit entry of a refusal."""
    with database.atomic():
        audit.refused(
            command=command,
            principal=principal,
            session_id=session_id,
            target=target,
            error=error,
        )
    error.is_audited = True


def kept_out(error: AegisError, *, command: str, principal: Principal, target: str) -> None:
    """The same for who was refused on the way to a command: without the right, or out of sight."""
    if error.status in KEPT_OUT and not error.is_audited:
        cleaned = target.replace("\x00", "")[:200]
        note(error, command=command, principal=principal, target=cleaned)


def asking(arguments: dict[str, Any]) -> Principal:
    """Who asks, of the arguments of a command."""
    return cast(Principal, arguments["principal"])


def trace(result: Any) -> Trace:
    """What the result says of itself, or a trace of the row that it is."""
    if hasattr(result, "audit"):
        return cast(Audited, result).audit()
    session_id = getattr(result, "session_id", None)
    return Trace(session_id=session_id, target=str(getattr(result, "pk", "")), detail={})


def session_of(arguments: dict[str, Any]) -> UUID | None:
    """The session of a refused request, if it named one by its id; whether it is there or not."""
    value = arguments.get("session")
    try:
        return UUID(str(getattr(value, "pk", value)))
    except ValueError:
        return None


def target_of(arguments: dict[str, Any]) -> str:
    """How the refused request named its target."""
    for name in TARGETS:
        value = arguments.get(name)
        if value:
            # It is whatever the caller said; PostgreSQL takes no NUL.
            return str(getattr(value, "pk", value)).replace("\x00", "")[:200]
    return ""
