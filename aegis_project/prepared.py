"""Questions to the database that are compiled once and asked often."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import QuerySet
from django.db.models.base import ModelState
from django.db.models.query import ModelIterable, get_related_populators

R = TypeVar("R")


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
        plan = self._plan(values)
        rows = plan.rows(values)
        found: Any = plan.instances(rows) if plan.is_of_instances else map(tuple, rows)
        return list(found)

    def _plan(self, values: dict[str, Any]) -> "Plan":
        shape = (connection.vendor, *(_shape(value) for value in values.values()))
        plan = self._plans.get(shape)
        if plan is None:
            plan = self._plans[shape] = compile_plan(self.ask, values)
        return plan


@dataclass(frozen=True, slots=True)
class Plan:
    """Compiled SQL, where its parameters come from, and how rows are read."""

    sql: str
    parameters: list[Callable[[dict[str, Any]], Any]]
    compiler: Any
    converters: dict[int, Any]
    populators: list[Any]
    is_of_instances: bool

    def rows(self, values: dict[str, Any]) -> Iterator[Sequence[Any]]:
        """The rows in Python's types."""
        with connection.cursor() as cursor:
            cursor.execute(self.sql, [adapt(find(values)) for find in self.parameters])
            found = cursor.fetchall()
        return map(self._convert, found) if self.converters else iter(found)

    def _convert(self, row: Sequence[Any]) -> Sequence[Any]:
        values = list(row)
        for place, (converters, expression) in self.converters.items():
            # No field makes anything else of NULL, and many columns are.
            if values[place] is not None:
                for convert in converters:
                    values[place] = convert(values[place], expression, self.compiler.connection)
        return values

    def instances(self, rows: Iterator[Sequence[Any]]) -> Iterator[Any]:
        """Rows as instances, with what Django's own ``ModelIterable`` gives them."""
        info, annotations = self.compiler.klass_info, self.compiler.annotation_col_map or {}
        first, last = info["select_fields"][0], info["select_fields"][-1] + 1
        names = [column[0].target.attname for column in self.compiler.select[first:last]]
        model = info["model"]
        for row in rows:
            # As unpickling makes one: filling forty fields one by one costs more than the query.
            made = model.__new__(model)
            made._state = ModelState()
            made._state.adding, made._state.db = False, connection.alias
            made.__dict__.update(zip(names, row[first:last], strict=True))
            for populator in self.populators:
                populator.populate(row, made)
            for name, place in annotations.items():
                setattr(made, name, row[place])
            yield made


def compile_plan(ask: Callable[..., QuerySet[Any]], values: dict[str, Any]) -> Plan:
    """
    Compile what ``ask`` makes of marks in place of the values, and see where the marks went.

    :raises LookupError: if a value is not passed to the database as it is
    """
    marks = {name: _mark(value) for name, value in values.items()}
    origins = {adapt(mark): find for name in marks for mark, find in _finders(name, marks[name])}
    rows = ask(**marks)
    compiler = rows.query.get_compiler(connection.alias)
    sql, parameters = compiler.as_sql()
    if not origins.keys() <= set(parameters):
        raise LookupError("A value does not reach the database as it is.")
    fields = [column[0] for column in compiler.select[: compiler.col_count]]
    return Plan(
        sql=sql,
        parameters=[origins.get(one) or _constant(one) for one in parameters],
        compiler=compiler,
        converters=compiler.get_converters(fields),
        populators=_populators(compiler),
        is_of_instances=issubclass(rows._iterable_class, ModelIterable),
    )


def _populators(compiler: Any) -> list[Any]:
    info, select = compiler.klass_info, compiler.select
    # The stubs are those of a later Django.
    return get_related_populators(info, select, connection.alias) if info else []  # type: ignore[call-arg]


def padded(values: Iterable[R]) -> tuple[R, ...]:
    """
    The values, the last of them repeated until their number is a power of two.

    To be among them means the same, and a question about any number of them has few shapes.
    """
    found = tuple(values)
    return found + found[-1:] * ((1 << (len(found) - 1).bit_length()) - len(found) if found else 0)


def adapt(value: Any) -> Any:
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
    return 2**62 + secrets.randbelow(2**60)


def _moment() -> datetime:
    return datetime(1900, 1, 1, tzinfo=UTC) + timedelta(microseconds=secrets.randbelow(2**52))


MAKERS: dict[type, Callable[[], Any]] = {
    UUID: uuid4,
    int: _number,
    str: secrets.token_hex,
    datetime: _moment,
}


def _finders(name: str, mark: Any) -> list[tuple[Any, Callable[[dict[str, Any]], Any]]]:
    whole = itemgetter(name)
    if isinstance(mark, tuple):
        return [(one, _member(name, place)) for place, one in enumerate(mark)]
    return [] if isinstance(mark, bool | None) else [(mark, whole)]


def _member(name: str, place: int) -> Callable[[dict[str, Any]], Any]:
    return lambda values: values[name][place]


def _constant(value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda _values: value
