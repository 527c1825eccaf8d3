"""Runs as their tests begin with them: a session, an agent, and a process that works."""

from typing import Any

from aegis_project import database
from sessions.core import run_log
from sessions.core.lifecycle import State
from sessions.core.run_log import AnyEntry
from sessions.models import Agent, Run, Session
from sessions.services import runs, working
from sessions.services.working import Claimed
from streaming.models import Lease, Record
from tests import factories
from tests.factories import OPERATOR


def agent(slug: str = "scribe", **fields: Any) -> Agent:
    """An agent of the catalogue."""
    made = {"name": slug.title(), "model": "scripted:echo", **fields}
    return Agent.objects.get_or_create(slug=slug, defaults=made)[0]


def session(state: State = State.RUNNING, **draft: Any) -> Session:
    """A session that an agent can work in."""
    return factories.session_in(state, **draft)


def admitted(row: Session, **asked: Any) -> Run:
    """A run that was let in."""
    asked = {"agent": asked.pop("agent", None) or agent(), "principal": OPERATOR, **asked}
    with database.atomic():
        return runs.admit(Session.objects.locked(row.pk), **asked)


def claimed(lease: Lease | None = None) -> Claimed:
    """The one run that a process takes now."""
    (found,) = working.claim(lease_id=(lease or factories.lease()).pk, limit=1)
    return found


def log(run: Run) -> list[AnyEntry]:
    """What stands in the log of a run."""
    rows = Record.objects.filter(log__session=run.session_id, log__name=run_log.name_of(run.pk))
    bodies = rows.order_by("seq").values_list("body", flat=True)
    return [run_log.decode(bytes(body)) for body in bodies]


def state(run: Run) -> str:
    """Where a run stands."""
    return Run.objects.get(pk=run.pk).state


def text(word: str) -> run_log.Text:
    """A piece of an answer."""
    return run_log.Text(text=word)
