"""One statement to the database, with as little between as there may be."""

import re
from collections.abc import Sequence
from functools import cache
from time import perf_counter
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper as Connection
from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX

from aegis_project import slow

Row = Sequence[Any]

# Parameters, and what stands for a percent sign.
MARK = re.compile("%[s%]")
SIMPLE = re.compile("[a-z_]*")
# The wrappers of a connection that was never looked at.
NOBODY: list[Any] = []


def fetch(connection: Connection, statement: str, parameters: Row) -> list[Row]:
    """
    The rows of a statement, whose parameters are marked with ``%s``.

    :raises DatabaseError: Django's, whatever the driver raised
    """
    if not is_bare(connection):
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            found: list[Row] = cursor.fetchall()
            return found
    began = perf_counter()
    try:
        with connection.wrap_database_errors:
            rows: list[Row] = _bare(connection).execute(_marked(statement), parameters).fetchall()
            return rows
    finally:
        slow.ended(statement, began)


def execute(connection: Connection, statement: str, parameters: Row) -> int:
    """
    Carry out a statement that gives no rows; how many it touched.

    :raises DatabaseError: Django's, whatever the driver raised
    """
    if not is_bare(connection):
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return int(cursor.rowcount)
    began = perf_counter()
    try:
        with connection.wrap_database_errors:
            return int(_bare(connection).execute(_marked(statement), parameters).rowcount)
    finally:
        slow.ended(statement, began)


def execute_all(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    """
    Carry out a statement that gives no rows with each of these rows of parameters.

    :raises DatabaseError: Django's, whatever the driver raised
    """
    if not is_bare(connection):
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)
        return
    began = perf_counter()
    try:
        with connection.wrap_database_errors:
            _bare(connection).executemany(_marked(statement), rows)
    finally:
        slow.ended(statement, began)


def is_bare(connection: Connection) -> bool:
    """
    Whether statements go straight to the driver of SQLite.

    What Django does between, a cursor for each and the marks of parameters written anew, costs as
    much as most statements. Where somebody listens to statements, they go his way.
    """
    return (
        connection.vendor == "sqlite"
        and not connection.queries_logged
        and connection.execute_wrappers in (NOBODY, slow.ALONE)
    )


def _bare(connection: Connection) -> Any:
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    return connection.connection


@cache
def _marked(statement: str) -> str:
    return FORMAT_QMARK_REGEX.sub("?", statement).replace("%%", "%")


def with_literals(statement: str, constants: Sequence[Any]) -> tuple[str, list[int]]:
    """
    A statement with constants written out, and the places of the parameters that are still passed.

    ``constants`` has None for each that is not one. Where a parameter decides whether SQLite may
    use an index of some rows, it compiles the statement anew each time, which costs more than
    carrying it out.
    """
    left, places = list[int](), iter(range(len(constants)))

    def written(mark: re.Match[str]) -> str:
        if mark[0] == "%%":
            return mark[0]
        place = next(places)
        constant = constants[place]
        if isinstance(constant, str) and SIMPLE.fullmatch(constant):
            return f"'{constant}'"
        left.append(place)
        return mark[0]

    return MARK.sub(written, statement), left
