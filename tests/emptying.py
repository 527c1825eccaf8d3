"""How tables are emptied after a test that commits: by deleting what stands in them, and no more."""

import importlib
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.test import TransactionTestCase

# What Django writes after each migration; nothing in a test changes it.
CONSTANT = {"django_content_type", "auth_permission"}


def install() -> None:
    """
    Take the place of Django's flush.

    That truncates, for which PostgreSQL makes the files of each table anew, and then writes the
    permissions of every model, which is nearly all that a small test costs. What forbids to remove
    entries of the audit is taken away; the tests of it put it back.
    """
    with connection.cursor() as cursor:
        for statement in guards().REMOVING[connection.vendor]:
            cursor.execute(statement)
    TransactionTestCase._fixture_teardown = _empty  # type: ignore[attr-defined]


def guards() -> Any:
    """The migration that has the triggers of the audit."""
    return importlib.import_module("streaming.migrations.0005_audit")


def forget_audit() -> None:
    """Remove all entries of the audit, past everything that forbids it."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM aegis_streaming_auditentry")


def _empty(_: Any) -> None:
    # Foreign keys are deferred: at the end of the transaction nothing is there to refer to.
    with transaction.atomic(), connection.cursor() as cursor:
        for table in sorted(set(_tables()) - CONSTANT):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608 -- a name


def _tables() -> Iterable[str]:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield model._meta.db_table
