"""What every verb of the command line does the same way: who acts, and how it ends."""

import inspect
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

from aegis_project.kit import principal
from aegis_project.kit.errors import AegisError, DatabaseUnavailable
from aegis_project.kit.principal import Principal
from components import auth
from sessions.management import client, next_steps, output
from sessions.management.client import Client
from sessions.management.output import How, Misused

F = TypeVar("F", bound=Callable[..., None])
T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Ids only.")]
Fields = Annotated[
    str, typer.Option(metavar="NAME,...", help="Only these fields of the documents, in this order.")
]
Wide = Annotated[
    bool, typer.Option("--wide", help="Whole ids and all of each line on a terminal, too.")
]
Server = Annotated[
    str, typer.Option("--server", metavar="URL", help="Ask this server; else AEGIS_SERVER.")
]
Token = Annotated[str, typer.Option("--token", help="A credential for it; better in AEGIS_TOKEN.")]
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


class TimedOut(AegisError):
    """The time to wait is over."""

    code = "TIMEOUT"
    status = 504
    temporary = True


class OutOfReach(AegisError):
    """What was waited for will not come any more."""

    code = "OUT_OF_REACH"
    status = 409


class PersonNeeded(AegisError):
    """Somebody has to decide or to answer first."""

    code = "PERSON_NEEDED"
    status = 409


CODES = {
    "VALIDATION_ERROR": Exit.USAGE,
    "USAGE": Exit.USAGE,
    "AMBIGUOUS_REFERENCE": Exit.USAGE,
    "COMPONENT_AMBIGUOUS": Exit.USAGE,
    "START_TIMEOUT": Exit.OUT_OF_REACH,
    "OUT_OF_REACH": Exit.OUT_OF_REACH,
    "PERSON_NEEDED": Exit.PERSON_NEEDED,
}
STATUSES = {
    401: Exit.NOT_ALLOWED,
    403: Exit.NOT_ALLOWED,
    404: Exit.NOT_FOUND,
    500: Exit.UNEXPECTED,
    503: Exit.UNREACHABLE,
    504: Exit.TIMED_OUT,
}


def exit_code(error: AegisError) -> Exit:
    """The exit code that stands for an error."""
    return CODES.get(error.code) or STATUSES.get(error.status, Exit.REFUSED)


def verb(function: F) -> F:
    """
    Make a function a verb: what it raises is told, and becomes an exit code.

    Whatever prints documents has ``--fields`` and ``--wide``, too, and what a server can do as well
    (:func:`elsewhere`) has ``--server`` and ``--token``.
    """
    far = getattr(function, "far", None)

    @wraps(function)
    def run(
        *args: Any,
        fields: str = "",
        wide: bool = False,
        far_server: str = "",
        far_token: str = "",
        **kwargs: Any,
    ) -> None:
        try:
            with (
                client.asking(far_server, far_token) as named,
                output.only(fields, is_wide=wide, is_brief=named is None),
            ):
                if named is None:
                    function(*args, **kwargs)
                else:
                    _far(far, named, kwargs)
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

    own = inspect.signature(function).parameters
    more = {"fields": Fields, "wide": Wide} if "is_json" in own else {}
    if far:
        # Where --token is a word of the verb's own, the credential comes from AEGIS_TOKEN alone.
        more |= {"far_server": Server} | ({} if "token" in own else {"far_token": Token})
    _also(run, function, more)
    return cast(F, run)


def elsewhere(far: Callable[..., None] | None = None) -> Callable[[F], F]:
    """
    Let a server that was named do what a verb does; without ``far`` the verb itself asks it.

    ``far`` takes the client, and the verb's arguments by name.
    """

    def mark(function: F) -> F:
        function.far = far or (lambda _server, **given: function(**given))  # type: ignore[attr-defined]  # functions have what one gives them
        return function

    return mark


def _far(far: Callable[..., None] | None, server: Client, given: dict[str, Any]) -> None:
    if far is None:
        raise Misused("This is done on the machine of the server alone; unset AEGIS_SERVER there.")
    if given.pop("as_user", ""):
        raise Misused("The credential says who acts at another server; leave --as out.")
    far(server, **given)


def _also(run: Any, function: Any, more: dict[str, Any]) -> None:
    """Let a verb have more options than the function that it is made of."""
    signature = inspect.signature(function)
    kind = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(name, kind, default=False if option is Wide else "", annotation=option)
        for name, option in more.items()
    ]
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *added])
    run.__annotations__ = {**function.__annotations__, **more}


def fail(error: AegisError, *, is_json: bool) -> NoReturn:
    """Tell an error and end with its code."""
    tell(error, is_json=is_json)
    raise typer.Exit(exit_code(error))


def tell(error: AegisError, *, is_json: bool = False, about: str = "") -> None:
    """Tell an error and what to do next."""
    request = client.request_of(error)
    if is_json:
        meta = {"request_id": request} if request else {}
        output.line({"schema": "aegis.error/1", "error": error.as_dict(), "meta": meta})
    about = f"{about}: " if about else ""
    output.say(f"error: {error.code}: {about}{error.message}")
    asked = f"      request {request}" if request else ""
    output.say(f"  next: {next_steps.after(error)}{asked}")


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


def _os_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
