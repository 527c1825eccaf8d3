"""Tools of packages that are installed here: the entry points of the group ``aegis.tools``."""

import logging
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from types import ModuleType
from typing import Any

from sessions.toolbox.define import Definition

logger = logging.getLogger(__name__)

GROUP = "aegis.tools"


@cache
def definitions() -> tuple[Definition, ...]:
    """Every tool of every package; one that cannot be loaded is logged and left out."""
    return tuple(load(metadata.entry_points(group=GROUP)))


def load(points: Iterable[metadata.EntryPoint]) -> Iterator[Definition]:
    """The tools that entry points lead to: one, a list of them, or a module that has some."""
    for point in sorted(points, key=lambda one: one.name):
        try:
            found = list(_of(point.load()))
        except Exception:  # one package must not take the tools of the others away
            logger.exception("Tools cannot be loaded", extra={"entry_point": point.value})
            continue
        if not found:
            logger.warning("An entry point leads to no tool", extra={"entry_point": point.value})
        yield from found


def _of(value: Any) -> Iterator[Definition]:
    if isinstance(value, Definition):
        yield value
    elif isinstance(value, ModuleType):
        yield from (one for one in vars(value).values() if isinstance(one, Definition))
    elif isinstance(value, list | tuple):
        yield from (one for one in value if isinstance(one, Definition))
