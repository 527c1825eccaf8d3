"""Writing the rows of a conversation, in the transaction of whoever locked its session."""

from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from aegis_project import statements
from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
from sessions import metrics
from sessions.core import branches, conversation
from sessions.core.branches import Node
from sessions.core.conversation import Role
from sessions.core.errors import SessionExpired
from sessions.core.events import SessionEvent, WorkEvent
from sessions.models import Message, Run, Session
from sessions.services import moving, telling
from sessions.services.moving import Reference
from streaming.services import ledger

SLICE = 500
COUNTERS = ["message_count", "llm_token_count", "last_activity_at", "expires_at"]


def opened(principal: Principal, session: Reference, verb: str) -> Session:
    """
    The session, locked until the transaction ends, if it can still be said something in.

    :raises SessionNotFound: if it is not there for the principal
    :raises SessionExpired: if its time is over
    :raises InvalidState: if it is closed; ``verb`` is what cannot be done
    """
    row = moving.locked(principal, session)
    if row.expires_at is not None and row.expires_at <= timezone.now():
        raise SessionExpired(session=row.key, expired_at=row.expires_at.isoformat())
    if not row.is_open:
        raise moving.illegal(row, verb)
    return row


def append(
    session: Session,
    *,
    role: Role,
    content: str,
    author: str,
    agent: str = "",
    run: Run | None = None,
    parent: Message | None = None,
    tokens: int = 0,
    attachments: int = 0,
    metadata: dict[str, Any] | None = None,
    id: UUID | None = None,  # noqa: A002 -- the row's own word
) -> Message:
    """
    Write a message behind ``parent``, by default the last one of the chosen branch, and tell it.

    The session was locked in this transaction, and its counters move in memory too. ``author`` is
    an actor, ``tokens`` what a model took to say it. What a run says about a message that is on
    no chosen branch any more stays beside it. Nothing is refused: what may be said is judged
    before.
    """
    after, is_chosen = _place_of(session, run=run, parent=parent)
    message = statements.new(
        Message,
        id=id or uuid4(),
        session=session,
        place=session.message_count + 1,
        role=role.value,
        content=content,
        parent=after,
        is_chosen=is_chosen,
        agent=agent,
        run=run,
        author=author,
        token_count=tokens,
        attachment_count=attachments,
        metadata=metadata or {},
    )
    statements.insert(message)
    _count(session, message)
    _tell(message)
    return message


def last(session_id: UUID) -> Message | None:
    """The last message of the chosen branch."""
    return next(iter(_last(session_id=session_id)), None)


@Prepared
def _last(session_id: UUID) -> QuerySet[Message]:
    rows = Message.objects.filter(session_id=session_id, is_chosen=True)
    return rows.order_by("-place")[:1]


def end_at(session: Session, message: Message | None) -> int:
    """
    Let the chosen branch end with this message, or be empty; how many left it.

    The session is locked. A message that is on another branch brings its own beginnings along.
    """
    if message is not None and not message.is_chosen:
        choose(session, message)
    behind = Message.objects.filter(session=session, is_chosen=True)
    if message is not None:
        behind = behind.filter(place__gt=message.place)
    return behind.update(is_chosen=False, updated_at=timezone.now())


def choose(session: Session, message: Message) -> bool:
    """Make the branch that this message is on the chosen one; whether another one was."""
    wanted = set(branches.path(nodes(session.pk), message.pk))
    chosen = set(_chosen(session).values_list("pk", flat=True))
    _mark(wanted - chosen, is_chosen=True)
    _mark(chosen - wanted, is_chosen=False)
    message.is_chosen = True
    return wanted != chosen


def take_back(session: Session, message: Message) -> None:
    """
    Leave a message, and what runs said about it, out of the chosen branch; what follows stays.

    The session is locked. What followed it follows what it followed.
    """
    gone = {message.pk, *Message.objects.filter(run__message=message).values_list("pk", flat=True)}
    _mark(gone, is_chosen=False)
    parents = {node.id: node.parent for node in nodes(session.pk)}
    for left in Message.objects.filter(session=session, is_chosen=True, parent__in=gone):
        after = left.parent_id
        while after in gone:
            after = parents[after]
        Message.objects.filter(pk=left.pk).update(parent=after)


def nodes(session_id: UUID) -> list[Node]:
    """The tree of a conversation, without its contents."""
    rows = Message.objects.filter(session_id=session_id).values_list("pk", "parent_id", "place")
    return [Node(*row) for row in rows]


def _chosen(session: Session) -> QuerySet[Message]:
    return Message.objects.filter(session=session, is_chosen=True)


def _mark(ids: set[UUID], *, is_chosen: bool) -> None:
    # In slices, because a database takes so many parameters and no more.
    rest, now = list(ids), timezone.now()
    for first in range(0, len(rest), SLICE):
        some = Message.objects.filter(pk__in=rest[first : first + SLICE])
        some.update(is_chosen=is_chosen, updated_at=now)


def _place_of(
    session: Session, *, run: Run | None, parent: Message | None
) -> tuple[Message | None, bool]:
    """What a new message follows, and whether it is on the chosen branch."""
    if parent is not None:
        return parent, parent.is_chosen
    if run is not None and run.message_id is not None and _is_beside(pk=run.message_id):
        newest = branches.path(nodes(session.pk), run.message_id)[-1]
        return Message.objects.get(pk=newest), False
    return last(session.pk), True


@Prepared
def _is_beside(pk: UUID) -> QuerySet[Message, tuple[UUID]]:
    return Message.objects.filter(pk=pk, is_chosen=False).values_list("pk")


def _count(session: Session, message: Message) -> None:
    session.message_count += 1
    session.llm_token_count += message.token_count
    session.last_activity_at = message.created_at
    session.expires_at = _later(session, message)
    statements.update(session, *COUNTERS)
    counted = metrics.messages.labels(role=message.role)
    transaction.on_commit(partial(counted.inc))


def _later(session: Session, message: Message) -> Any:
    found = conversation.expiry(session.config, now=message.created_at)
    return session.expires_at if found is None else found


def _tell(message: Message) -> None:
    ledger.append(
        session_id=message.session_id,
        type=WorkEvent.MESSAGE_CREATED.value,
        actor=message.author,
        message=str(message.pk),
        place=message.place,
        role=message.role,
        parent=_text(message.parent_id),
        agent=message.agent,
        run=_text(message.run_id),
        preview=conversation.preview(message.content),
        attachments=message.attachment_count,
    )


def _text(id: UUID | None) -> str | None:  # noqa: A002 -- it is one
    return None if id is None else str(id)


def entitle(session: Session, message: Message) -> None:
    """Call a chat that has no name by its first message."""
    session.name = conversation.title(message.content)
    session.version += 1
    session.save(update_fields=["name", "version", "updated_at"])
    telling.tell(session, SessionEvent.UPDATED, actor=message.author, fields=["name"])
