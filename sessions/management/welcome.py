"""What `aegis` says by itself: where to begin, and how this installation is."""

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from sessions.core.lifecycle import State
from sessions.management import address
from sessions.models import Session

FIRST = {
    "aegis run": "set everything up and serve, with a session to look at",
    "aegis session create NAME": "make a session",
    "aegis session list": "see the sessions and their states",
    "aegis session start SESSION --wait running": "run one",
    "aegis topic tail TOPIC --session SESSION": "see what is said in it",
}


def lines() -> list[str]:
    """The five commands that a newcomer needs, and the state of the installation."""
    width = max(map(len, FIRST))
    commands = [f"  {command:<{width}}  {what}" for command, what in FIRST.items()]
    head = ["Aegis: a control plane for live sessions", ""]
    return [*head, *commands, "", _installation(), "More: aegis --help, aegis session --help"]


def _installation() -> str:
    found = address.read(settings.ENVIRONMENT.home)
    server = f"a server runs at {found.url}" if found else "no server runs"
    return f"Here: {_database()}; {server}."


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if missing:
            return "the tables are missing or old, `aegis run` makes them"
        total = Session.objects.present().count()
        running = Session.objects.present().filter(state=State.RUNNING).count()
    except DatabaseError:
        return "the database cannot be reached"
    return f"{total} sessions, {running} running"
