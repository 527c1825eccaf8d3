"""Reading a conversation: pages of it, one message, what a model is shown of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar
from uuid import UUID

import orjson
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce

from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared, padded
from sessions.core import branches, keys, tool_calls
from sessions.core.branches import Node
from sessions.core.conversation import Role
from sessions.core.errors import MessageNotFound
from sessions.core.turns import ToolRequest, Turn
from sessions.models import Attachment, Message, Session, ToolCall
from sessions.selectors import attachments, sessions

T = TypeVar("T", Attachment, ToolCall)
EVERY = Q()

ROLES = {one.value: one for one in Role}


@dataclass(frozen=True, slots=True)
class Entry:
    """
    A message with what belongs to it.

    ``branch_count`` counts the messages that follow the same one, itself among them.
    """

    message: Message
    attachments: Sequence[Attachment] = ()
    calls: Sequence[ToolCall] = ()
    branch_count: int = 1


@dataclass(frozen=True, slots=True)
class Extract:
    """Messages in their order; ``has_more``: there are others beyond the end asked towards."""

    entries: list[Entry]
    has_more: bool


def readable(principal: Principal, session: str) -> Session:
    """
    The session whose conversation is to be read.

    :raises PermissionDenied: without the scope messages:read
    :raises SessionNotFound: if it is not there for the principal
    """
    principal.require("messages:read")
    return sessions.find(principal, session)


def find(session_id: UUID, message: UUID | str) -> Message:
    """
    One message of a session by id.

    :raises MessageNotFound: if the session has none
    """
    uuid = message if isinstance(message, UUID) else keys.as_uuid(message)
    for found in _one(session_id=session_id, pk=uuid) if uuid else ():
        return found
    raise MessageNotFound(message=str(message))


@Prepared
def _one(session_id: UUID, pk: UUID) -> QuerySet[Message]:
    return Message.objects.filter(session_id=session_id, pk=pk)


def page(
    session: Session,
    *,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    branch: UUID | None = None,
    where: Q = EVERY,
) -> Extract:
    """
    At most ``limit`` messages of the chosen branch, or of the one that the message ``branch`` is on.

    The newest of them, or those just ahead of the place ``before``, or those behind the place
    ``after``. As many questions for ten messages as for ten thousand.

    :raises MessageNotFound: if the session has no such message to name a branch
    """
    if where == EVERY:
        found = _extract(session.pk, limit + 1, before=before, after=after, branch=branch)
    else:
        rows = _branch(session.pk, branch).filter(where)
        found = list(_side(rows, before, after)[: limit + 1])
    some = found[:limit] if after is not None else found[:limit][::-1]
    return Extract(entries(some), has_more=len(found) > limit)


def _extract(
    session_id: UUID, most: int, *, before: int | None, after: int | None, branch: UUID | None
) -> list[Message]:
    if branch is None:
        return _pages(most)(session_id=session_id, before=before, after=after)
    return list(_side(_branch(session_id, branch), before, after)[:most])


@cache
def _pages(most: int) -> Prepared[Message]:
    def ask(session_id: UUID, before: int | None, after: int | None) -> QuerySet[Message]:
        return _side(_branch(session_id, None), before, after)[:most]

    return Prepared(ask)


def _side(rows: QuerySet[Message], before: int | None, after: int | None) -> QuerySet[Message]:
    """Messages from the side that is asked from: those behind ``after``, else the newest first."""
    if after is not None:
        return rows.filter(place__gt=after).order_by("place")
    if before is not None:
        rows = rows.filter(place__lt=before)
    return rows.order_by("-place")


def entries(rows: Sequence[Message]) -> list[Entry]:
    """These messages with what belongs to them, in at most three questions more."""
    counts = _branch_counts(rows)
    found = _laden(rows)
    if not counts:
        return found
    return [replace(entry, branch_count=counts.get(entry.message.parent_id, 1)) for entry in found]


def siblings(message: Message) -> list[Message]:
    """The messages that follow the same one, itself among them, the oldest first."""
    same = Message.objects.filter(session_id=message.session_id, parent=message.parent_id)
    return list(same.order_by("place"))


def turns(session_id: UUID, *, up_to: Message) -> list[Turn]:
    """
    What a model is shown that is to answer ``up_to``, with what was already said about it.

    A message that came while an earlier one was still to be answered stands behind that answer,
    as if it had been waited for: each run reads one conversation in which questions and answers
    alternate.
    """
    if up_to.is_chosen:
        lines = _chosen_up_to(session_id=session_id, place=up_to.place)
    else:
        lines = list(_up_to(_branch(session_id, up_to.pk), up_to.place))
    # A conversation is long, and what most of its messages hold is their text.
    places = [place for place, _, _, *load in lines if any(load)]
    if not places:
        return [Turn(ROLES[role], content) for _, role, content, _, _ in lines]
    laden = {one.message.place: one for one in _at(session_id, places)}
    return [turn for line in lines for turn in _turns(line, laden.get(line[0]))]


Line = tuple[int, str, str, int, int]
"""Place, role and content of a message, and how many attachments and tool calls it has."""


@Prepared
def _chosen_up_to(session_id: UUID, place: int) -> QuerySet[Message, Line]:
    return _up_to(_branch(session_id, None), place)


def _up_to(rows: QuerySet[Message], place: int) -> QuerySet[Message, Line]:
    anchored = rows.annotate(anchor=Coalesce(F("run__message__place"), F("place")))
    # What answers a question of a run is told as the result of its tool call.
    told = anchored.exclude(role=Role.USER.value, run__isnull=False)
    found = told.filter(anchor__lte=place).order_by("anchor", "place")
    return found.values_list("place", "role", "content", "attachment_count", "tool_call_count")


def _at(session_id: UUID, places: Sequence[int]) -> list[Entry]:
    if not places:
        return []
    return _laden(list(Message.objects.filter(session_id=session_id, place__in=places)))


def _laden(rows: Sequence[Message]) -> list[Entry]:
    files = _attachments([row.pk for row in rows if row.attachment_count])
    calls = _calls([row.pk for row in rows if row.tool_call_count])
    return [Entry(row, files.get(row.pk, ()), calls.get(row.pk, ())) for row in rows]


def _branch(session_id: UUID, through: UUID | None) -> QuerySet[Message]:
    rows = Message.objects.filter(session_id=session_id)
    if through is None:
        return rows.filter(is_chosen=True)
    tree = [Node(*row) for row in rows.values_list("pk", "parent_id", "place")]
    if through not in {node.id for node in tree}:
        raise MessageNotFound(message=str(through))
    return rows.filter(pk__in=branches.path(tree, through))


def _attachments(ids: list[UUID]) -> dict[UUID, list[Attachment]]:
    if not ids:
        return {}
    return _by_message(Attachment.objects.filter(message__in=ids).order_by("created_at", "pk"))


def _calls(ids: list[UUID]) -> dict[UUID, list[ToolCall]]:
    if not ids:
        return {}
    return _by_message(ToolCall.objects.filter(message__in=ids).order_by("created_at", "pk"))


def _by_message(rows: QuerySet[T]) -> dict[UUID, list[T]]:
    found: dict[UUID, list[T]] = defaultdict(list)
    for row in rows:
        if row.message_id is not None:
            found[row.message_id].append(row)
    return found


def _branch_counts(rows: Sequence[Message]) -> dict[UUID | None, int]:
    """How many messages follow the same one, by that one; where it is one, nothing is said."""
    parents = padded(row.parent_id for row in rows if row.parent_id is not None)
    found: dict[UUID | None, int] = dict(_followed(parents=parents))
    if any(row.parent_id is None for row in rows):
        found[None] = len(_begun(session_id=rows[0].session_id))
    return found


@Prepared
def _followed(parents: tuple[UUID, ...]) -> QuerySet[Message, tuple[UUID, int]]:
    # Not of a session: SQLite would read all of it, each time.
    rows = Message.objects.filter(parent__in=parents).values_list("parent")
    return rows.annotate(count=Count("pk")).filter(count__gt=1).order_by()


@Prepared
def _begun(session_id: UUID) -> QuerySet[Message, tuple[UUID]]:
    return Message.objects.filter(session_id=session_id, parent=None).values_list("pk")


def _turns(line: Line, entry: Entry | None) -> Iterator[Turn]:
    _, role, content, _, _ = line
    if entry is None:
        yield Turn(role=ROLES[role], content=content)
        return
    shown = {file.pk: attachments.media(file) for file in entry.attachments}
    words = [attachments.in_words(file) for file in entry.attachments if shown[file.pk] is None]
    yield Turn(
        role=ROLES[role],
        content="".join([content, *words]),
        media=tuple(one for one in shown.values() if one is not None),
        requests=tuple(
            ToolRequest(id=call.call_id, tool=call.tool, arguments=call.asked_arguments)
            for call in entry.calls
        ),
    )
    for call in entry.calls:
        yield _result(call)


def _result(call: ToolCall) -> Turn:
    is_done = call.state == tool_calls.State.COMPLETED
    # No provider takes a request for a tool that nothing is said about.
    said = call.result if is_done else call.error or {"state": call.state}
    return Turn(
        role=Role.TOOL,
        content=orjson.dumps(said, default=str).decode(),
        answers=call.call_id,
        is_error=not is_done,
    )
