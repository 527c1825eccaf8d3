"""Sessions as clients of each dialect see them, for people who want to know what that is."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from django.utils import timezone

from sessions.api import answers, documents
from sessions.core import tasks as task_words
from sessions.core.errors import SessionNotFound
from sessions.dialects import agent_session_shapes, envelope, shapes, task_shapes
from sessions.dialects.agent_session_shapes import AgentSessionShapes
from sessions.dialects.bus import shapes as bus_shapes
from sessions.dialects.envelope import Envelope
from sessions.dialects.task_shapes import SessionShapes
from sessions.models import Session
from sessions.selectors import sessions
from sessions.selectors.sessions import View
from streaming.api import codecs


class Dialect(StrEnum):
    """The number of the seed that a dialect is from."""

    DAEMON = "000"
    AGENT_SESSIONS = "001"
    TASKS = "002"
    BUS = "003"
    CONVERSATIONS = "004"


# What is closed is not found there, and in no list.
ONLY_OPEN = frozenset({Dialect.TASKS, Dialect.BUS})


def one(dialect: Dialect, row: Session) -> Any:
    """What a client reads that asks for a session."""
    if not is_there(dialect, row):
        return ABSENT[dialect](SessionNotFound(session=str(row.pk)))
    return codecs.show(ALONE[dialect](row))


def is_there(dialect: Dialect, row: Session) -> bool:
    """Whether clients of a dialect find a session."""
    return row.is_open or dialect not in ONLY_OPEN


def several(dialect: Dialect, rows: Sequence[Session]) -> Any:
    """What a client reads that asks for these sessions, if all of them are on one page."""
    found = [row for row in rows if is_there(dialect, row)]
    return codecs.show(LISTS[dialect](sessions.views(found, now=timezone.now())))


def _state(row: Session) -> dict[str, Any]:
    data = {"session": shapes.standing(row), "components": shapes.components(row)}
    return envelope.ok(Envelope("", "SESSION_STATE", {}), data)


def _list(views: list[View]) -> dict[str, Any]:
    data = {"sessions": [shapes.listed(view) for view in views]}
    return envelope.ok(Envelope("", "SESSION_LIST", {}), data)


def _agent_sessions(views: list[View]) -> AgentSessionShapes:
    return AgentSessionShapes(
        count=len(views), sessions=[agent_session_shapes.listed(view) for view in views]
    )


def _tasks(views: list[View]) -> SessionShapes:
    return SessionShapes(sessions=[task_shapes.session(view) for view in views], total=len(views))


def _documents(views: list[View]) -> dict[str, Any]:
    now = timezone.now()
    return {"data": [documents.document(view, now=now) for view in views], "next": ""}


ALONE: dict[Dialect, Callable[[Session], Any]] = {
    Dialect.DAEMON: _state,
    Dialect.AGENT_SESSIONS: agent_session_shapes.whole,
    Dialect.TASKS: task_shapes.session_alone,
    Dialect.BUS: lambda row: bus_shapes.done(bus_shapes.session_alone(row)),
    Dialect.CONVERSATIONS: answers.shown,
}
LISTS: dict[Dialect, Callable[[list[View]], Any]] = {
    Dialect.DAEMON: _list,
    Dialect.AGENT_SESSIONS: _agent_sessions,
    Dialect.TASKS: _tasks,
    Dialect.BUS: lambda views: bus_shapes.done([bus_shapes.session(view) for view in views]),
    Dialect.CONVERSATIONS: _documents,
}
ABSENT: dict[Dialect, Callable[[SessionNotFound], Any]] = {
    Dialect.TASKS: lambda error: {"error": task_words.error(error)},
    Dialect.BUS: lambda error: bus_shapes.refused("Session not found"),
}
