"""Giving an agent a task, and answering one that waits, as clients of A2A do."""

import base64
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone

from aegis_project import database
from aegis_project.kit.errors import InvalidState, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core import a2a_messages, approvals, keys
from sessions.core.errors import SessionNotFound
from sessions.core.lifecycle import Kind
from sessions.core.runs import State, Waiting
from sessions.models import Agent, Approval, Message, Run, Session
from sessions.selectors import a2a as reading
from sessions.selectors import sessions
from sessions.services import approvals as deciding
from sessions.services import attachments, conversation, creation
from sessions.services.conversation import Utterance
from sessions.services.creation import Draft
from sessions.services.tasks import PASSING
from streaming.api import codecs


@dataclass(frozen=True, slots=True)
class Asked:
    """
    A message of the protocol to an agent, as its JSON writes it.

    ``parameters`` are for the run, ``base`` is the address of this server.
    """

    agent: Agent
    message: dict[str, Any]
    parameters: dict[str, Any] = field(default_factory=dict)
    base: str = ""

    @property
    def parts(self) -> list[dict[str, Any]]:
        """What the message is made of."""
        found: list[dict[str, Any]] = self.message.get("parts", [])
        return found


def send(*, principal: Principal, asked: Asked) -> Run:
    """
    Give an agent a new task, or answer one that waits for its client.

    :raises RunNotFound: for a task that is none of the principal's
    :raises SessionNotFound: for a context that cannot be one
    :raises InvalidState: for a task that is over or waits for nothing that can be said
    :raises ValidationFailed: for a message that cannot be, or a context of something else
    """
    _check(asked)
    name = asked.message.get("taskId", "")
    if not name:
        return _begin(principal, asked)
    run = reading.find(principal, agent=asked.agent.slug, task=name)
    context = asked.message.get("contextId", "")
    if context not in {"", run.session.key, str(run.session_id)}:
        raise ValidationFailed("The task is of another context.", fields=["contextId"])
    return _go_on(principal, asked, run)


def _check(asked: Asked) -> None:
    try:
        codecs.check_kept(asked.message, asked.parameters)
    except ValueError as error:
        raise ValidationFailed(f"{error}.") from None


def _begin(principal: Principal, asked: Asked) -> Run:
    row = _session(principal, asked)
    ids, kept = _files(principal, row, asked)
    said = Utterance(
        content=a2a_messages.words(asked.parts) or "(files)",
        agent="" if row.agent else asked.agent.slug,
        attachments=ids,
        parameters={**asked.parameters, "message_id": asked.message.get("messageId", "")},
        metadata={reading.KEPT: {**asked.message, "parts": kept}},
        answers=True,
    )
    run = conversation.say(principal=principal, session=row, draft=said).run
    assert run is not None  # noqa: S101 -- it was asked for
    return run


def _session(principal: Principal, asked: Asked) -> Session:
    """The session of the context that a message names; a new one for a name that is not taken."""
    name = asked.message.get("contextId", "")
    try:
        row = sessions.find(principal, name) if name else None
    except SessionNotFound:
        row = None
    if row is None:
        draft = Draft(key=name, kind=Kind.CHAT, agent=asked.agent.slug, config=PASSING)
        return creation.create(principal=principal, draft=draft).session
    if row.agent not in {"", asked.agent.slug}:
        raise ValidationFailed("The context is of another agent.", fields=["contextId"])
    return row


def _files(
    principal: Principal, row: Session, asked: Asked
) -> tuple[list[UUID], list[dict[str, Any]]]:
    """Keep the files of a message; their ids, and its parts with an address for each of them."""
    ids, kept = list[UUID](), list[dict[str, Any]]()
    for number, part in enumerate(asked.parts, 1):
        if "raw" not in part:
            kept.append(part)
            continue
        name = part.get("filename") or f"file-{number}"
        content = base64.b64decode(part["raw"])
        made = attachments.upload(principal=principal, session=row, filename=name, content=content)
        ids.append(made.pk)
        address = f"{asked.base}api/v1/sessions/{row.pk}/attachments/{made.pk}/content"
        kept.append({"url": address, "filename": name, "mediaType": made.content_type})
    return ids, kept


def _go_on(principal: Principal, asked: Asked, run: Run) -> Run:
    if run.state == State.WAITING and run.waiting_for == Waiting.INPUT:
        return _answer(principal, asked, run)
    if run.state != State.WAITING or run.waiting_for != Waiting.APPROVAL:
        what = run.waiting_for or "nothing"
        raise InvalidState(f"The task is {run.state} and waits for {what} that could be said.")
    open_ = Approval.objects.filter(run=run, state=approvals.State.PENDING.value)
    for decision in a2a_messages.decisions(asked.parts):
        rows = open_
        if decision.approval:
            rows = open_.filter(pk__in=[one] if (one := keys.as_uuid(decision.approval)) else [])
        found = list(rows.order_by("requested_at", "pk"))
        if not found:
            raise ValidationFailed("The task waits for no such decision.", fields=["approval"])
        for approval in found:
            deciding.decide(
                principal=principal,
                approval=approval,
                approved=decision.approved,
                reason=decision.reason,
            )
    _keep(run, asked)
    return run


def _answer(principal: Principal, asked: Asked, run: Run) -> Run:
    """Say in its session what answers the question of a run."""
    ids, _ = _files(principal, run.session, asked)
    said = Utterance(
        content=a2a_messages.words(asked.parts) or "(files)",
        agent="" if run.session.agent == run.agent_slug else run.agent_slug,
        attachments=ids,
        answers=True,
    )
    conversation.say(principal=principal, session=run.session, draft=said)
    _keep(run, asked)
    return run


def _keep(run: Run, asked: Asked) -> None:
    """Let the history of a task hold what its client answered."""
    if run.message_id is None:
        return
    at = int(timezone.now().timestamp() * 1000)
    with database.atomic():
        message = Message.objects.select_for_update(of=("self",)).get(pk=run.message_id)
        kept = message.metadata.get(reading.KEPT)
        if kept is None:
            return
        later = [*kept.get("followUps", []), {"at": at, "message": asked.message}]
        message.metadata = {**message.metadata, reading.KEPT: {**kept, "followUps": later}}
        message.save(update_fields=["metadata", "updated_at"])
