"""Questions to the database that are compiled once and asked often."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID, SafeUUID, uuid4

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper as Connection
from django.db.models import JSONField, Model, QuerySet
from django.db.models.base import ModelState
from django.db.models.query import ModelIterable, get_related_populators

from aegis_project import sql

R = TypeVar("R")
Convert = Callable[[Any], Any]
# A UUID lets nobody else write what it is of.
SET, UNKNOWN = object.__setattr__, SafeUUID.unknown


class Prepared(Generic[R]):
    """
    A queryset as a function of values, whose SQL is made once for each shape of them.

    Making it costs Django more than asking it: on SQLite a credential by its prefix comes in a
    fifth of the time (0.5 instead of 2.6 ms where this was measured), and a component asks about
    ten such questions from its register to READY. Values are UUIDs, texts, numbers and moments, or
    tuples of these, whose length is part of the shape, as are ``None``, ``True`` and ``False``. They
    may only stand where they are passed to the database as they are.
    """

    def __init__(self, ask: Callable[..., QuerySet[Any, R]]) -> None:
        self.ask = ask
        self._plans: dict[tuple[Any, ...], Plan] = {}

    def __call__(self, **values: Any) -> list[R]:
        """
        The rows: instances with what the queryset relates and annotates, or a list of values.

        :raises LookupError: if a value is not passed to the database as it is
        """
        # Nothing is among none, and a database cannot even be asked.
        if any(value == () for value in values.values()):
            return []
        # Looked up once: what Django exports asks the thread for it at each use.
        connection = connections[DEFAULT_DB_ALIAS]
        plan = self._plan(values, connection)
        rows = plan.rows(values, connection)
        found: Any = plan.shape.instances(rows) if plan.shape else map(tuple, rows)
        return list(found)

    def _plan(self, values: dict[str, Any], connection: Connection) -> "Plan":
        shape = (connection.vendor, *(_shape(value) for value in values.values()))
        plan = self._plans.get(shape)
        if plan is None:
            plan = self._plans[shape] = compile_plan(self.ask, values, connection)
        return plan


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a parameter comes from: a value, one member of it, or the same each time."""

    name: str = ""
    place: int | None = None
    constant: Any = None

    def find(self, values: dict[str, Any]) -> Any:
        """The parameter among these values."""
        if not self.name:
            return self.constant
        value = values[self.name]
        return value if self.place is None else value[self.place]


@dataclass(frozen=True, slots=True)
class Plan:
    """Compiled SQL, where its parameters come from, and how rows are read."""

    sql: str
    origins: list[Origin]
    converters: list[tuple[int, Convert]]
    shape: "Shape | None"

    def rows(self, values: dict[str, Any], connection: Connection) -> Iterator[Sequence[Any]]:
        """The rows in Python's types."""
        parameters = [adapt(one.find(values), connection) for one in self.origins]
        found = sql.fetch(connection, self.sql, parameters)
        return map(self._convert, found) if self.converters else iter(found)

    def _convert(self, row: Sequence[Any]) -> Sequence[Any]:
        values = list(row)
        for place, convert in self.converters:
            # No field makes anything else of NULL, and many columns are.
            if values[place] is not None:
                values[place] = convert(values[place])
        return values


@dataclass(frozen=True, slots=True)
class Shape:
    """How rows become instances: their columns by place, what is related, what is annotated."""

    model: type[Model]
    columns: slice
    names: list[str]
    populators: list[Any]
    annotations: dict[str, int]

    def instances(self, rows: Iterator[Sequence[Any]]) -> Iterator[Any]:
        """Rows as instances, with what Django's own ``ModelIterable`` gives them."""
        for row in rows:
            # As unpickling makes one: filling forty fields one by one costs more than the query.
            made = self.model.__new__(self.model)
            made._state = ModelState()
            made._state.adding, made._state.db = False, DEFAULT_DB_ALIAS
            made.__dict__.update(zip(self.names, row[self.columns], strict=True))
            for populator in self.populators:
                populator.populate(row, made)
            for name, place in self.annotations.items():
                setattr(made, name, row[place])
            yield made


def compile_plan(
    ask: Callable[..., QuerySet[Any]], values: dict[str, Any], connection: Connection
) -> Plan:
    """
    Compile what ``ask`` makes of marks in place of the values, and see where the marks went.

    Nothing of the compiler is kept, which holds every mark.

    :raises LookupError: if a value is not passed to the database as it is
    """
    marks = {name: _mark(value) for name, value in values.items()}
    origins = {
        adapt(mark, connection): origin
        for name in marks
        for mark, origin in _origins(name, marks[name])
    }
    rows = ask(**marks)
    compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
    statement, parameters = compiler.as_sql()
    if not origins.keys() <= set(parameters):
        raise LookupError("A value does not reach the database as it is.")
    fields = [column[0] for column in compiler.select[: compiler.col_count]]
    every = [origins.get(one) or Origin(constant=one) for one in parameters]
    if connection.vendor == "sqlite":
        constants = [None if one.name else one.constant for one in every]
        statement, left = sql.with_literals(statement, constants)
        every = [every[place] for place in left]
    return Plan(
        sql=statement,
        origins=every,
        converters=[
            (place, _converter(converters, expression))
            for place, (converters, expression) in compiler.get_converters(fields).items()
        ],
        shape=_instances(compiler) if issubclass(rows._iterable_class, ModelIterable) else None,
    )


def _converter(converters: Sequence[Any], expression: Any) -> Convert:
    """All that Django makes of a value of a column, in one call."""
    found = [
        QUICK.get(getattr(one, "__name__", "")) or _bound(one, expression) for one in converters
    ]
    if len(found) == 1 and isinstance(expression.output_field, JSONField):
        return _unless_empty(found[0])
    if len(found) == 1:
        return found[0]

    def convert(value: Any) -> Any:
        for one in found:
            value = one(value)
        return value

    return convert


def _bound(converter: Any, expression: Any) -> Convert:
    # Looked up by whoever needs it, which hardly one does.
    return lambda value: converter(value, expression, connection)


def _unless_empty(convert: Convert) -> Convert:
    # Most objects that rows hold are empty ones.
    return lambda value: {} if value == "{}" else convert(value)


# Rows of one page name each other and their session.
@lru_cache(4096)
def _quick_uuid(value: Any) -> UUID:
    # What its own way checks cannot be otherwise here, and a page of messages holds hundreds.
    made = object.__new__(UUID)
    SET(made, "int", int(value, 16))
    SET(made, "is_safe", UNKNOWN)
    return made


def _quick_moment(value: Any) -> datetime:
    # A column comes as a moment without a zone, an expression as text.
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC)


# What SQLite's own converters make of a text, in a fifth of their time.
QUICK: dict[str, Convert] = {
    "convert_uuidfield_value": _quick_uuid,
    "convert_datetimefield_value": _quick_moment,
}


def _instances(compiler: Any) -> Shape:
    info, select = compiler.klass_info, compiler.select
    columns = slice(info["select_fields"][0], info["select_fields"][-1] + 1)
    return Shape(
        model=info["model"],
        columns=columns,
        names=[column[0].target.attname for column in select[columns]],
        # The stubs are those of a later Django.
        populators=get_related_populators(info, select, DEFAULT_DB_ALIAS),  # type: ignore[call-arg]
        annotations=compiler.annotation_col_map or {},
    )


def padded(values: Iterable[R]) -> tuple[R, ...]:
    """
    The values, the last of them repeated until their number is a power of two.

    To be among them means the same, and a question about any number of them has few shapes.
    """
    found = tuple(values)
    return found + found[-1:] * ((1 << (len(found) - 1).bit_length()) - len(found) if found else 0)


def adapt(value: Any, connection: Connection) -> Any:
    """A value as the database takes it."""
    if isinstance(value, UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


def _shape(value: Any) -> Any:
    if isinstance(value, tuple):
        return len(value)
    return value if isinstance(value, bool | None) else type(value)


def _mark(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_mark(one) for one in value)
    if isinstance(value, bool | None):
        return value
    return MAKERS[type(value)]()


def _number() -> int:
    # Of a number that no column holds, Django on PostgreSQL does not even ask.
    return 2**30 + secrets.randbelow(2**30)


def _moment() -> datetime:
    return datetime(1900, 1, 1, tzinfo=UTC) + timedelta(microseconds=secrets.randbelow(2**52))


MAKERS: dict[type, Callable[[], Any]] = {
    UUID: uuid4,
    int: _number,
    str: secrets.token_hex,
    datetime: _moment,
}


def _origins(name: str, mark: Any) -> list[tuple[Any, Origin]]:
    if isinstance(mark, tuple):
        return [(one, Origin(name, place)) for place, one in enumerate(mark)]
    return [] if isinstance(mark, bool | None) else [(mark, Origin(name))]
