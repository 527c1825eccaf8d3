"""Whether this installation is sound: one registry of checks, each with what to do about it."""

import logging
import tomllib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib import metadata

from channels.layers import get_channel_layer
from django.conf import settings
from django.core import checks
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from packaging.requirements import Requirement
from pydantic import SecretStr
from redis import Redis, RedisError

from aegis_project.env import CHECKOUT, PREFIX, Environment

logger = logging.getLogger(__name__)

SKEW_SECONDS = 2.0
PATIENCE_SECONDS = 2.0


class State(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Snoozed:
    """Who leaves a finding alone, why, and until when."""

    by: str
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, snoozed or not; ``fix`` is what to do, empty if there is nothing."""

    check: str
    state: State
    said: str
    fix: str = ""
    snoozed: Snoozed | None = None


Check = Callable[[], Iterator[Finding]]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    """Add a check to the registry under its name."""
    CHECKS[function.__name__] = function
    return function


Fix = Callable[[], str]
FIXES: dict[str, Fix] = {}
"""What does by itself what the check of this name says to do, and what it then says."""


def mend(name: str) -> Callable[[Fix], Fix]:
    """Let a function mend what the check of this name finds; nothing may be lost by it."""

    def add(function: Fix) -> Fix:
        FIXES[name] = function
        return function

    return add


def fixable(found: Collection[Finding]) -> list[str]:
    """The checks among these that are not well and can be mended, in their order."""
    ill = (one.check for one in found if one.state in {State.WARNING, State.ERROR})
    return [name for name in dict.fromkeys(ill) if name in FIXES]


def examine(only: Collection[str] = ()) -> list[Finding]:
    """
    What all checks find, or those of these names, in their order.

    One that fails itself is an unknown.
    """
    wanted = {name: one for name, one in CHECKS.items() if not only or name in only}
    return [one for name, function in wanted.items() for one in _carefully(name, function)]


def _carefully(name: str, function: Check) -> list[Finding]:
    try:
        return list(function())
    except Exception as error:  # one check must not take the others away
        logger.exception("A check failed", extra={"check": name})
        said = f"It could not be checked: {type(error).__name__}."
        return [Finding(name, State.UNKNOWN, said, "Look at what the other checks say first.")]


@check
def profile() -> Iterator[Finding]:
    """Which rules hold, and whether Django's own for a deployment are kept."""
    if not settings.IS_PRODUCTION:
        said = "The development profile: cookies go over plain HTTP, and weak settings are taken."
        fix = "For others than yourself: AEGIS_PROFILE=production."
        yield Finding("profile", State.NOTICE, said, fix)
        return
    found = checks.run_checks(include_deployment_checks=True)
    for one in found:
        state = State.ERROR if one.level >= checks.ERROR else State.WARNING
        yield Finding("profile", state, f"{one.id}: {one.msg}", one.hint or "See check --deploy.")
    if not found:
        yield Finding("profile", State.OK, "The production profile; all its rules are kept.")


@check
def open_door() -> Iterator[Finding]:
    """Whether anybody on this machine is let in without a credential."""
    if settings.ENVIRONMENT.open:
        said = "Whoever is on this machine acts as the demo operator."
        yield Finding("open_door", State.WARNING, said, "Leave AEGIS_OPEN and --open out.")
    else:
        yield Finding("open_door", State.OK, "Everybody needs a credential or has to sign in.")


@check
def database() -> Iterator[Finding]:
    """Whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        fix = "Start it, or correct AEGIS_DATABASE_URL."
        yield Finding("database", State.ERROR, "The database cannot be reached.", fix)
        return
    said = {"sqlite": "SQLite: one server process."}.get(connection.vendor, connection.vendor)
    yield Finding("database", State.OK, said)


@check
def migrations() -> Iterator[Finding]:
    """Whether the tables are those of this version."""
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        yield Finding(
            "migrations",
            State.ERROR,
            f"{missing} migrations are not applied.",
            "python manage.py migrate",
        )
    else:
        yield Finding("migrations", State.OK, "The tables are those of this version.")


@mend("migrations")
def migrate() -> str:
    """Bring the tables up to date."""
    call_command("migrate", verbosity=0, interactive=False)
    return "The migrations were applied."


@check
def clock() -> Iterator[Finding]:
    """Whether this machine and the database agree on the time, by which leases are judged."""
    if connection.vendor != "postgresql":
        yield Finding("clock", State.OK, "The database has the clock of this machine.")
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        away = abs((timezone.now() - cursor.fetchone()[0]).total_seconds())
    state = State.OK if away <= SKEW_SECONDS else State.WARNING
    fix = "" if state is State.OK else "Let both machines ask a time server."
    yield Finding("clock", state, f"The database is {away:.1f} s away.", fix)


@check
def valkey() -> Iterator[Finding]:
    """Whether what several processes share is there."""
    url = settings.ENVIRONMENT.redis_url
    kind = type(get_channel_layer()).__name__
    if not url:
        said = f"None: topics and rates live in one process ({kind})."
        yield Finding("valkey", State.NOTICE, said, "For several processes: AEGIS_REDIS_URL.")
        return
    try:
        with Redis.from_url(
            url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
        ) as client:
            client.ping()
    except RedisError:
        said = "Valkey cannot be reached; sessions go on, live topics do not, rates count apart."
        yield Finding("valkey", State.ERROR, said, "Start it, or correct AEGIS_REDIS_URL.")
        return
    yield Finding("valkey", State.OK, f"It answers ({kind}).")


@check
def versions() -> Iterator[Finding]:
    """Whether each library is one that this version is tested with."""
    wrong = list(below_floor())
    for said in wrong:
        fix = "Install what requirements/ names: ./aegis does that."
        yield Finding("versions", State.ERROR, said, fix)
    if not wrong:
        yield Finding("versions", State.OK, "All libraries are within their bounds.")


def below_floor() -> Iterator[str]:
    """Which libraries are outside the bounds of ``pyproject.toml``, in words."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    for text in project["dependencies"]:
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        try:
            found = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            yield f"{wanted.name} is not installed, {wanted.specifier} is needed."
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            yield f"{wanted.name} is {found}, {wanted.specifier} is needed."


@check
def server() -> Iterator[Finding]:
    """What the servers cannot do themselves."""
    said = (
        "uvicorn ends heads of requests after 15 s or 64 KiB. Daphne waits for them, reads whole "
        "bodies before anything can refuse them, and trusts no proxy."
    )
    fix = "Serve with uvicorn, or put a proxy with such deadlines before Daphne."
    yield Finding("server", State.NOTICE, said, fix)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: what it is now, as a text, and what it does. A secret is only told to be set."""

    name: str
    value: str
    default: str
    meaning: str


def listed() -> list[Setting]:
    """Every setting of the environment, by name."""
    return [
        Setting(
            name=f"{PREFIX}{name.upper()}",
            value=_text(getattr(settings.ENVIRONMENT, name)),
            default="" if name == "home" else _text(field.default),
            meaning=field.description or "",
        )
        for name, field in sorted(Environment.model_fields.items())
    ]


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else ""
    return "" if value is None else str(value)
