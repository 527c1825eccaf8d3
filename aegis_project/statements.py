"""Rows that are written one at a time, with statements that are made once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper as Connection
from django.db.models import AutoField, Model
from django.db.models.base import ModelState

from aegis_project import sql
from aegis_project.prepared import adapt

M = TypeVar("M", bound=Model)

# What fields of these types hold is written as it is, or as `adapt` makes it; Django asks each
# field again what it makes of each value.
PLAIN: dict[type, type] = {
    models.BigAutoField: int,
    models.BigIntegerField: int,
    models.BooleanField: bool,
    models.CharField: str,
    models.DateTimeField: datetime,
    models.FloatField: float,
    models.IntegerField: int,
    models.PositiveBigIntegerField: int,
    models.PositiveIntegerField: int,
    models.PositiveSmallIntegerField: int,
    models.SlugField: str,
    models.TextField: str,
    models.UUIDField: UUID,
}


@dataclass(frozen=True, slots=True)
class Column:
    """A field, and the type of its values that need no asking; None if all do."""

    field: Any
    plain: type | None

    def value(self, row: Model, connection: Connection, *, is_new: bool) -> Any:
        """What of a row is written."""
        if self.plain is not None:
            found = getattr(row, self.field.attname)
            if type(found) is self.plain:
                return adapt(found, connection)
            if found is None:
                return None
        return self.field.get_db_prep_save(self.field.pre_save(row, is_new), connection)


def new(model: type[M], **values: Any) -> M:
    """
    A row that is not written yet, as ``model(**values)`` makes it.

    Django looks at every field of a model for each row, which for one of thirty fields takes as
    long as to write it.
    """
    made = model.__new__(model)
    made._state = ModelState()
    known = made.__dict__
    constants, makers = _defaults(model)
    known |= constants
    for name, make in makers:
        if name not in values:
            known[name] = make()
    for name, value in values.items():
        setattr(made, name, value)
    return made


@cache
def _defaults(model: type[Model]) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]]]:
    """What fields hold that nobody gives, by attribute: what is the same each time, the rest."""
    fields = _known(model).concrete_fields
    made = [one for one in fields if callable(one.default)]
    constants = {one.attname: one.get_default() for one in fields if one not in made}
    return constants, [(one.attname, one.get_default) for one in made]


def insert(row: Model) -> None:
    """
    Insert a row, as ``save`` does it; its key is set if the database makes it.

    Making the statement costs Django more than carrying it out: about a millisecond where this was
    measured, and a message with its run writes twenty rows. Signals are not sent, and fields whose
    placeholder is not plain, as that of bytes, are not for this.
    """
    columns, statement = _insertion(type(row), is_returning=True)
    connection = connections[DEFAULT_DB_ALIAS]
    values = [one.value(row, connection, is_new=True) for one in columns]
    if isinstance(row._meta.pk, AutoField):
        row.pk = sql.fetch(connection, statement, values)[0][0]
    else:
        sql.execute(connection, statement, values)
    _is_there(row)


def insert_all(rows: Sequence[Model]) -> None:
    """Insert rows of one model; keys that the database makes stay unknown."""
    columns, statement = _insertion(type(rows[0]), is_returning=False)
    connection = connections[DEFAULT_DB_ALIAS]
    values = [[one.value(row, connection, is_new=True) for one in columns] for row in rows]
    sql.execute_all(connection, statement, values)
    for row in rows:
        _is_there(row)


def update(row: Model, *names: str) -> None:
    """
    Write these fields of a row that is there, as ``save`` with ``update_fields`` does it.

    :raises DoesNotExist: if it is not there any more
    """
    columns, statement = _change(type(row), names)
    connection = connections[DEFAULT_DB_ALIAS]
    values = [one.value(row, connection, is_new=False) for one in columns]
    if not sql.execute(connection, statement, values):
        raise _known(type(row)).model.DoesNotExist(str(row.pk))


@cache
def _insertion(model: type[Model], *, is_returning: bool) -> tuple[list[Column], str]:
    quote, meta = connections[DEFAULT_DB_ALIAS].ops.quote_name, _known(model)
    fields = [one for one in meta.concrete_fields if not isinstance(one, AutoField)]
    columns = ", ".join(quote(one.column) for one in fields)
    marks = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608 -- our own names
    if is_returning and len(fields) < len(meta.concrete_fields):
        statement += f" RETURNING {quote(meta.pk.column)}"
    return [_column(one) for one in fields], statement


@cache
def _change(model: type[Model], names: tuple[str, ...]) -> tuple[list[Column], str]:
    quote, meta = connections[DEFAULT_DB_ALIAS].ops.quote_name, _known(model)
    fields = [meta.get_field(name) for name in names]
    columns = ", ".join(f"{quote(one.column)} = %s" for one in fields)
    key = quote(meta.pk.column)
    statement = f"UPDATE {quote(meta.db_table)} SET {columns} WHERE {key} = %s"  # noqa: S608 -- our own names
    return [_column(one) for one in (*fields, meta.pk)], statement


def _column(field: Any) -> Column:
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return Column(field, None)
    holds = field.target_field if isinstance(field, models.ForeignKey) else field
    return Column(field, PLAIN.get(type(holds)))


def _known(model: type[Model]) -> Any:
    """What Django knows of a model; its stubs also know of what is no field of ours."""
    return model._meta


def _is_there(row: Model) -> None:
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
