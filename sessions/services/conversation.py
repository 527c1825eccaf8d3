"""Saying something in a session, saying it differently, and choosing what was said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aegis_project.kit.errors import InvalidState
from aegis_project.kit.principal import Principal
from components.services import standing
from sessions.core import conversation
from sessions.core.conversation import Admission, Role
from sessions.core.errors import InvalidMessage
from sessions.core.events import WorkEvent
from sessions.core.lifecycle import Kind, State
from sessions.models import Agent, Attachment, Message, Run, Session
from sessions.selectors import agents, history
from sessions.services import attachments, ending, messages, questions, runs
from sessions.services.messages import append
from sessions.services.moving import Reference
from sessions.services.questions import Question
from streaming.services import ledger
from streaming.services.commands import Trace, command

# Whoever says so wants to begin anew, and answers no question.
ANEW = (Admission.INTERRUPT, Admission.ROLLBACK)

__all__ = ["Said", "Utterance", "append", "choose", "edit", "say"]


@dataclass(frozen=True, slots=True)
class Utterance:
    """
    What somebody says, and how it is to be answered.

    ``parent`` (an id) makes a branch that goes on behind that message. ``agent`` is another one
    than the session's, ``task`` the label and ``parameters`` what the client gives the run.
    ``answers`` says whether an agent answers: None is, if it is a user's and there is an agent.
    """

    content: str
    role: Role = Role.USER
    attachments: Sequence[UUID] = ()
    parent: UUID | None = None
    agent: str = ""
    task: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    admission: Admission | None = None
    answers: bool | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A message, and the run that answers it, if one does."""

    message: Message
    run: Run | None = None

    def audit(self) -> Trace:
        detail = {"place": self.message.place, "role": self.message.role}
        if self.run is not None:
            detail["run"] = str(self.run.pk)
        return Trace(session_id=self.message.session_id, target=str(self.message.pk), detail=detail)


@command("message.create", scope="messages:write")
def say(*, principal: Principal, session: Reference, draft: Utterance) -> Said:
    """
    Write a message in an open session, and let a run in that answers it.

    :raises SessionNotFound: if the session is not there for the principal
    :raises SessionExpired: if its time is over
    :raises InvalidState: if it is closed, takes no runs now, or its agent is busy under ``reject``
    :raises InvalidMessage: for what cannot be said, or if the session is full
    :raises MessageTooLong: above 100 000 characters
    :raises MessageNotFound: if there is no such parent
    :raises AttachmentNotFound: for a file that does not wait for a message here
    :raises AgentNotFound: if there is no such agent
    """
    row = messages.opened(principal, session, "say")
    conversation.check(draft.content, role=draft.role)
    _refuse_if_full(row)
    files = attachments.waiting(row, draft.attachments)
    if draft.parent is not None:
        _branch_off(row, history.find(row.pk, draft.parent), principal)
    return _write(row, principal, draft, files)


@command("message.edit", scope="messages:write")
def edit(*, principal: Principal, session: Reference, message: UUID | str, content: str) -> Said:
    """
    Say a user's message differently: a branch beside it, which is answered anew.

    :raises SessionNotFound: if the session is not there for the principal
    :raises SessionExpired: if its time is over
    :raises InvalidState: as :func:`say`
    :raises InvalidMessage: for what cannot be said, a message of another role, or a full session
    :raises MessageTooLong: above 100 000 characters
    :raises MessageNotFound: if there is no such message
    """
    row = messages.opened(principal, session, "edit")
    found = history.find(row.pk, message)
    role = Role(found.role)
    if role is not Role.USER:
        raise InvalidMessage("Only what a user said can be said differently.", role=role.value)
    conversation.check(content, role=role)
    _refuse_if_full(row)
    _branch_off(row, found.parent, principal)
    draft = Utterance(content=content, role=role, agent=found.agent, metadata=found.metadata)
    return _write(row, principal, draft, list(found.attachments.order_by("created_at", "pk")))


@command("message.choose", scope="messages:write")
def choose(*, principal: Principal, session: Reference, message: UUID | str) -> Message:
    """
    Make the branch that a message is on the one that history shows and agents read.

    :raises SessionNotFound: if the session is not there for the principal
    :raises SessionExpired: if its time is over
    :raises InvalidState: if it is closed, or a run is to say something on the branch of now
    :raises MessageNotFound: if there is no such message
    """
    row = messages.opened(principal, session, "choose")
    found = history.find(row.pk, message)
    if Run.objects.open().filter(session=row, message__is_chosen=True).exists():
        raise InvalidState("A run is still to answer on the branch that is chosen now.")
    if messages.choose(row, found):
        ledger.append(
            session_id=row.pk,
            type=WorkEvent.MESSAGE_UPDATED.value,
            actor=principal.actor,
            message=str(found.pk),
            fields=["is_chosen"],
        )
    return found


def _write(
    row: Session, principal: Principal, draft: Utterance, files: Sequence[Attachment]
) -> Said:
    agent = _answering(row, principal, draft)
    if agent is not None and draft.admission not in ANEW:
        asked = questions.first(row, agent)
        if asked is not None:
            return _answer(row, principal, draft, files, asked)
    if agent is not None:
        runs.make_way(row, agent=agent, principal=principal, admission=draft.admission)
        if row.state == State.CREATED:
            # The run will start it, and components are locked before the head of the ledger.
            standing.lock(session_id=row.pk)
    message = append(
        row,
        role=draft.role,
        content=draft.content,
        author=principal.actor,
        agent=draft.agent,
        attachments=len(files),
        metadata=draft.metadata,
    )
    attachments.give(message, files)
    if draft.role is Role.USER and row.kind == Kind.CHAT and not row.name:
        messages.entitle(row, message)
    if agent is None:
        return Said(message)
    run = runs.admit(
        row,
        agent=agent,
        principal=principal,
        message=message,
        task=draft.task,
        parameters=draft.parameters,
        has_way=True,
    )
    return Said(message, run)


def _answer(
    row: Session,
    principal: Principal,
    draft: Utterance,
    files: Sequence[Attachment],
    asked: Question,
) -> Said:
    """Write a message that answers what a run has asked; that run goes on, and no other begins."""
    message = append(
        row,
        role=draft.role,
        content=draft.content,
        author=principal.actor,
        agent=draft.agent,
        run=asked.run,
        attachments=len(files),
        metadata=draft.metadata,
    )
    attachments.give(message, files)
    names = [one.filename for one in files]
    return Said(message, questions.answer(asked, message, by=principal.actor, files=names))


def _answering(row: Session, principal: Principal, draft: Utterance) -> Agent | None:
    """Who answers, if anybody does."""
    name = draft.agent or row.agent
    wanted = draft.role is Role.USER and bool(name) if draft.answers is None else draft.answers
    if not wanted:
        return None
    if not name:
        raise InvalidMessage("The session has no agent that could answer.")
    return agents.find(principal, name)


def _branch_off(row: Session, parent: Message | None, principal: Principal) -> None:
    """Begin a branch behind this message; what was still to be answered on the other is not."""
    if not messages.end_at(row, parent):
        return
    left = [
        run
        for run in ending.open_of(row.pk, main=True)
        if run.message is not None and not run.message.is_chosen
    ]
    if left:
        every = [one for run in left for one in ending.with_subruns(run)]
        ending.cancel(row, every, actor=principal.actor, reason="another branch was begun")


def _refuse_if_full(row: Session) -> None:
    most = conversation.limits(row.config).max_messages
    if most is not None and row.message_count >= most:
        raise InvalidMessage(f"The session holds {most} messages, as many as it may.", most=most)
