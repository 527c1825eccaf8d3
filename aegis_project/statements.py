"""Rows that are written one at a time, with statements that are made once."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper as Connection
from django.db.models import AutoField, Model


def insert(row: Model) -> None:
    """
    Insert a row, as ``save`` does it; its key is set if the database makes it.

    Making the statement costs Django more than carrying it out: about a millisecond where this was
    measured, and a message with its run writes twenty rows. Signals are not sent, and fields whose
    placeholder is not plain, as that of bytes, are not for this.
    """
    fields, sql = _insertion(type(row), is_returning=True)
    connection = connections[DEFAULT_DB_ALIAS]
    with connection.cursor() as cursor:
        cursor.execute(sql, _values(row, fields, connection, is_new=True))
        if isinstance(row._meta.pk, AutoField):
            row.pk = cursor.fetchone()[0]
    _is_there(row)


def insert_all(rows: Sequence[Model]) -> None:
    """Insert rows of one model; keys that the database makes stay unknown."""
    fields, sql = _insertion(type(rows[0]), is_returning=False)
    connection = connections[DEFAULT_DB_ALIAS]
    with connection.cursor() as cursor:
        cursor.executemany(sql, [_values(row, fields, connection, is_new=True) for row in rows])
    for row in rows:
        _is_there(row)


def update(row: Model, *names: str) -> None:
    """
    Write these fields of a row that is there, as ``save`` with ``update_fields`` does it.

    :raises DoesNotExist: if it is not there any more
    """
    fields, sql = _change(type(row), names)
    meta = _known(type(row))
    connection = connections[DEFAULT_DB_ALIAS]
    with connection.cursor() as cursor:
        cursor.execute(sql, _values(row, [*fields, meta.pk], connection, is_new=False))
        if not cursor.rowcount:
            raise meta.model.DoesNotExist(str(row.pk))


@cache
def _insertion(model: type[Model], *, is_returning: bool) -> tuple[list[Any], str]:
    quote, meta = connections[DEFAULT_DB_ALIAS].ops.quote_name, _known(model)
    fields = [one for one in meta.concrete_fields if not isinstance(one, AutoField)]
    columns = ", ".join(quote(one.column) for one in fields)
    marks = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608 -- our own names
    if is_returning and len(fields) < len(meta.concrete_fields):
        sql += f" RETURNING {quote(meta.pk.column)}"
    return fields, sql


@cache
def _change(model: type[Model], names: tuple[str, ...]) -> tuple[list[Any], str]:
    quote, meta = connections[DEFAULT_DB_ALIAS].ops.quote_name, _known(model)
    fields = [meta.get_field(name) for name in names]
    columns = ", ".join(f"{quote(one.column)} = %s" for one in fields)
    key = quote(meta.pk.column)
    sql = f"UPDATE {quote(meta.db_table)} SET {columns} WHERE {key} = %s"  # noqa: S608 -- our own names
    return fields, sql


def _known(model: type[Model]) -> Any:
    """What Django knows of a model; its stubs also know of what is no field of ours."""
    return model._meta


def _values(
    row: Model, fields: Sequence[Any], connection: Connection, *, is_new: bool
) -> list[Any]:
    return [one.get_db_prep_save(one.pre_save(row, is_new), connection) for one in fields]


def _is_there(row: Model) -> None:
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
