"""Statements to the database that take long, counted where they are made."""

import threading
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper as Connection
from django.db.backends.signals import connection_created

from aegis_project.kit import strains
from aegis_project.kit.strains import Strain, Tally

MOST_SHAPES = 50
OTHERS = "others"

_tally = Tally[str](most=MOST_SHAPES, rest=OTHERS)
_lock = threading.Lock()
_limit = float("inf")


def limit(seconds: float) -> None:
    """Count what takes so long and longer from now on; 0 counts nothing."""
    global _limit  # noqa: PLW0603 -- one per process is the point
    _limit = seconds or float("inf")


def ended(statement: str, began: float) -> None:
    """Count a statement that has come to its end, if that took long; ``began`` is of perf_counter."""
    seconds = perf_counter() - began
    if seconds >= _limit:
        with _lock:
            _tally.note(strains.shape(statement), worst=seconds * 1000)


def take() -> dict[str, Strain]:
    """What was counted since the last time by its shape; the worst is in milliseconds."""
    with _lock:
        return _tally.take()


def give_back(found: Mapping[str, Strain]) -> None:
    """Count again what was taken."""
    with _lock:
        _tally.give_back(found)


def watch(
    execute: Callable[..., Any],
    statement: str,
    parameters: Any,
    many: bool,  # noqa: FBT001 -- Django calls it so
    context: Any,
) -> Any:
    """Carry out a statement as Django does, and look at how long that took."""
    began = perf_counter()
    try:
        return execute(statement, parameters, many, context)
    finally:
        ended(statement, began)


ALONE = [watch]
"""The wrappers of a connection to which nobody else listens."""


def listen(connection: Connection, **_said: Any) -> None:
    """Look at all statements of a connection."""
    if watch not in connection.execute_wrappers:
        connection.execute_wrappers.append(watch)


def listen_to_all() -> None:
    """Look at all statements of each connection that is made from now on."""
    connection_created.connect(listen, dispatch_uid="aegis.slow")
