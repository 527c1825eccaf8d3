"""What `aegis run` does before it serves: tables, and somebody who can sign in."""

import secrets
import time

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from aegis_project import database
from sessions.management.serving import CannotServe
from sessions.selectors import teams

ADMIN = "admin"


def migrate() -> str:
    """
    Bring the tables up to date; a sentence about it.

    :raises CannotServe: if the database cannot be reached
    """
    missing, started_at = _missing_migrations(), time.monotonic()
    where = connection.settings_dict["NAME"]
    if not missing:
        return f"Database {where} is up to date."
    call_command("migrate", verbosity=0, interactive=False)
    seconds = time.monotonic() - started_at
    return f"Database {where}: {missing} migrations in {seconds:.1f} s."


def refuse_unless_migrated() -> None:
    """
    Look at the tables.

    :raises CannotServe: if they are missing or older than the code, or cannot be looked at
    """
    missing = _missing_migrations()
    if missing:
        raise CannotServe(
            f"The database is not up to date: {missing} migrations are missing.",
            "Run `manage.py migrate` first; `aegis run` does it by itself.",
        )


def _missing_migrations() -> int:
    try:
        executor = MigrationExecutor(connection)
        return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError as error:
        raise CannotServe(
            f"The database cannot be reached: {error}", "Check AEGIS_DATABASE_URL."
        ) from None


def first_administrator() -> str:
    """
    Make the first administrator, in team ``default``, unless there is one; how to sign in.

    The password is the one of ``AEGIS_ADMIN_PASSWORD``, else one that is said this once.
    """
    with database.atomic():
        present = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        if present is not None:
            name = present.get_username()
            return f"{name}, with its password (forgotten: manage.py changepassword {name})"
        given = settings.ENVIRONMENT.admin_password.get_secret_value()
        password = given or secrets.token_urlsafe(9)
        admin = User.objects.create_superuser(ADMIN, "", password)
        admin.groups.add(teams.default())
    if given:
        return f"{ADMIN}, with the password in AEGIS_ADMIN_PASSWORD"
    return f"{ADMIN} / {password}  (shown this once)"
