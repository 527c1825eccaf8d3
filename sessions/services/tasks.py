"""Giving an agent a task, as clients of seed 002 and of A2A do."""

from dataclasses import dataclass, field
from typing import Any

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import conversation as rules
from sessions.core.conversation import Role
from sessions.core.errors import SessionNotFound
from sessions.core.lifecycle import Kind
from sessions.models import Run, Session
from sessions.selectors import agents, sessions
from sessions.services import conversation, creation
from sessions.services.conversation import Utterance
from sessions.services.creation import Draft

# What a task without a session is done in goes by itself when nothing more comes for it.
PASSING = {"timeout_minutes": 60}


@dataclass(frozen=True, slots=True)
class Task:
    """
    What is to be done: for the ``agent``, in the ``session``, of which one may be left out.

    ``label`` is what the client calls it.
    """

    content: str
    agent: str = ""
    session: str = ""
    label: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)


def give(*, principal: Principal, task: Task) -> Run:
    """
    Let a run in for a task; without a session, in a new one that lasts an hour beyond its use.

    :raises SessionNotFound: if the session is not there for the principal, or closed
    :raises AgentNotFound: if there is no such agent
    :raises ValidationFailed: if the session is another agent's, or nobody's and none is named
    :raises InvalidMessage: for what cannot be said
    """
    rules.check(task.content, role=Role.USER)
    row = opened(principal, task.session) if task.session else None
    agent = agents.find(principal, _agent_of(row, task.agent))
    if row is None:
        draft = Draft(kind=Kind.CHAT, agent=agent.slug, config=PASSING)
        row = creation.create(principal=principal, draft=draft).session
    said = Utterance(
        content=task.content,
        agent="" if row.agent else agent.slug,
        task=task.label,
        parameters=task.parameters,
        metadata=task.metadata,
        answers=True,
    )
    run = conversation.say(principal=principal, session=row, draft=said).run
    assert run is not None  # noqa: S101 -- it was asked for
    return run


def opened(principal: Principal, reference: str) -> Session:
    """
    The session of this name, as long as it is not closed.

    :raises SessionNotFound: otherwise
    """
    row = sessions.find(principal, reference)
    if not row.is_open:
        raise SessionNotFound(session=reference)
    return row


def _agent_of(row: Session | None, named: str) -> str:
    """
    Whose task it is.

    :raises ValidationFailed: if that cannot be
    """
    own = row.agent if row is not None else ""
    if own and named and own != named:
        raise ValidationFailed(f"The session is of the agent {own}.", agent=own, named=named)
    if not own and not named:
        raise ValidationFailed("The session has no agent.", fields=["agentId"])
    return own or named
