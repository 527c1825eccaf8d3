"""What every verb of the command line does the same way: who acts, and how it ends."""

import os
import pwd
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import wraps
from typing import Annotated, Any, Generic, NoReturn, TypeVar, cast

import typer
from django.contrib.auth.models import User
from django.db import DatabaseError
from typer._click.globals import get_current_context

from aegis_project.kit import principal
from aegis_project.kit.errors import AegisError, DatabaseUnavailable
from aegis_project.kit.principal import Principal
from components import auth
from sessions.management import output
from sessions.management.output import How

F = TypeVar("F", bound=Callable[..., None])
T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Ids only.")]
As = Annotated[str, typer.Option("--as", metavar="USER", help="Act as this user.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; do nothing.")]


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    REFUSED = 5
    TIMED_OUT = 6
    PARTIAL = 7
    UNREACHABLE = 8
    CHECK_FAILED = 9
    PERSON_NEEDED = 10
    OUT_OF_REACH = 11
    INTERRUPTED = 130


class Misused(AegisError):
    """The command cannot be meant like this."""

    code = "USAGE"
    status = 400


class TimedOut(AegisError):
    """The time to wait is over."""

    code = "TIMEOUT"
    status = 504
    temporary = True


class OutOfReach(AegisError):
    """What was waited for will not come any more."""

    code = "OUT_OF_REACH"
    status = 409


CODES = {
    "VALIDATION_ERROR": Exit.USAGE,
    "USAGE": Exit.USAGE,
    "AMBIGUOUS_REFERENCE": Exit.USAGE,
    "COMPONENT_AMBIGUOUS": Exit.USAGE,
    "START_TIMEOUT": Exit.OUT_OF_REACH,
    "OUT_OF_REACH": Exit.OUT_OF_REACH,
}
STATUSES = {
    401: Exit.NOT_ALLOWED,
    403: Exit.NOT_ALLOWED,
    404: Exit.NOT_FOUND,
    500: Exit.UNEXPECTED,
    503: Exit.UNREACHABLE,
    504: Exit.TIMED_OUT,
}
NEXT = {
    "SESSION_NOT_FOUND": "aegis session list --closed",
    "AMBIGUOUS_REFERENCE": "aegis session list   (its ids are unique, and so are their beginnings)",
    "SESSION_ALREADY_EXISTS": "aegis session list --closed   (or leave --key out)",
    "COMPONENT_NOT_FOUND": "aegis component list",
    "CREDENTIAL_NOT_FOUND": "aegis credential list",
    "TOPIC_NOT_FOUND": "aegis topic list",
    "AGENT_NOT_FOUND": "aegis agent list",
    "PROVIDER_NOT_FOUND": "aegis provider list",
    "PROVIDER_ALREADY_EXISTS": "aegis provider update PROVIDER   (or choose another slug)",
    "TOOL_SERVER_NOT_FOUND": "aegis tool-server list",
    "TOOL_SERVER_ALREADY_EXISTS": "aegis tool-server update SERVER   (or choose another slug)",
    "WEBHOOK_NOT_FOUND": "aegis webhook list",
    "DELIVERY_NOT_FOUND": "aegis webhook deliveries WEBHOOK",
    "AGENT_ALREADY_EXISTS": "aegis agent update AGENT   (or choose another slug)",
    "SERVICE_UNAVAILABLE": "aegis serve   (or aegis run, which sets everything up)",
    "DATABASE_ERROR": "aegis run   (it makes the tables), or check AEGIS_DATABASE_URL",
    "OUT_OF_REACH": "aegis session state SESSION",
    "TIMEOUT": "aegis session state SESSION   (the session goes on as it was)",
    "PERMISSION_DENIED": "ask an administrator, or leave --as out",
}


def exit_code(error: AegisError) -> Exit:
    """The exit code that stands for an error."""
    return CODES.get(error.code) or STATUSES.get(error.status, Exit.REFUSED)


def verb(function: F) -> F:
    """Make a function a verb: what it raises is told, and becomes an exit code."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except AegisError as error:
            fail(error, is_json=bool(kwargs.get("is_json")))
        except KeyboardInterrupt:
            output.say("Stopped looking; what was begun goes on.")
            raise typer.Exit(Exit.INTERRUPTED) from None
        except DatabaseError as error:
            reason = str(error).splitlines()[0] if str(error) else "it does not answer"
            fail(
                DatabaseUnavailable(f"The database is not usable: {reason}."),
                is_json=bool(kwargs.get("is_json")),
            )

    return cast(F, run)


def fail(error: AegisError, *, is_json: bool) -> NoReturn:
    """Tell an error and end with its code."""
    tell(error, is_json=is_json)
    raise typer.Exit(exit_code(error))


def tell(error: AegisError, *, is_json: bool = False, about: str = "") -> None:
    """Tell an error and what to do next."""
    if is_json:
        output.line({"schema": "aegis.error/1", "error": error.as_dict(), "meta": {}})
    about = f"{about}: " if about else ""
    output.say(f"error: {error.code}: {about}{error.message}")
    output.say(f"  next: {_next(error)}")


def acting(user: str = "") -> Principal:
    """
    Who acts: the command line itself, in every team, or with ``--as`` one of its users.

    The audit names the person of the operating system either way.

    :raises Misused: if there is no such user
    """
    person = _os_user()
    if not user:
        return replace(principal.system("cli"), label=f"cli ({person})").via("cli")
    found = User.objects.filter(username=user, is_active=True).first()
    if found is None:
        raise Misused(f"There is no active user {user}.")
    acts = auth.of_user(found, transport="cli")
    return replace(acts, label=f"{acts.label} (cli, {person})")


def confirm(question: str, *, is_sure: bool) -> None:
    """
    Go on only if somebody is sure.

    :raises Misused: where nobody can be asked
    """
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise Misused(f"{question} Nobody can be asked here; say --yes.")
    if not typer.confirm(question, err=True):
        raise typer.Exit(Exit.USAGE)


@dataclass(frozen=True, slots=True)
class Results(Generic[T]):
    """What came of doing one thing to several."""

    done: list[T]
    failures: dict[str, AegisError]

    def end(self, how: How) -> None:
        """Tell what was refused; the exit code says whether all, some or nothing went well."""
        is_alone = not self.done and len(self.failures) == 1
        for reference, error in self.failures.items():
            tell(error, is_json=how.is_json and is_alone, about="" if is_alone else reference)
        if len(self.done) + len(self.failures) > 1:
            output.say(f"{len(self.done)} ok, {len(self.failures)} refused")
        if self.failures:
            first = next(iter(self.failures.values()))
            raise typer.Exit(Exit.PARTIAL if self.done else exit_code(first))


def each(references: Sequence[str], act: Callable[[str], T]) -> Results[T]:
    """Do something to each reference, whatever becomes of the others."""
    done: list[T] = []
    failures: dict[str, AegisError] = {}
    for reference in references:
        try:
            done.append(act(reference))
        except AegisError as error:
            failures[reference] = error
    return Results(done, failures)


def _next(error: AegisError) -> str:
    allowed = error.details.get("allowed")
    if allowed:
        return f"allowed now: {', '.join(allowed)}"
    if error.code == "INVALID_STATE":
        return "nothing moves it any more; aegis session create makes another"
    return NEXT.get(error.code) or help_step(get_current_context(silent=True))


def help_step(context: Any) -> str:
    """The command that explains what was asked for, from where the command line was read."""
    words = context.command_path.partition("aegis")[2].split() if context is not None else []
    return " ".join(["aegis", *words, "--help"])


def _os_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
