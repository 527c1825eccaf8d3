"""Messages, as the canonical interface and seed 004 show them: one shape for both."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from sessions.core.conversation import MAX_CONTENT, Admission, AttachmentKind, Role
from sessions.core.tool_calls import WORDS, State
from sessions.models import Attachment, Message, ToolCall
from sessions.selectors.history import Entry, Extract
from sessions.selectors.transcripts import Narrowing
from sessions.services.conversation import Said, Utterance
from streaming.api import codecs
from streaming.api.codecs import Timestamp
from streaming.api.documents import Fields, Limit

# What a message may hold is judged by the service, whose errors say more than a form's: one that
# is too long is 413, which nobody expects of a bound in a schema.
Content = Annotated[
    str,
    Meta(description=f"1 to {MAX_CONTENT:,} characters.", extra_json_schema={"minLength": 1}),
]
Status = Annotated[str, Meta(extra_json_schema={"enum": sorted(set(WORDS.values()))})]
Place = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class AttachmentDocument(Struct, kw_only=True):
    """
    A file that came in; `content_type` and `kind` are what its content is.

    `message_id` is null until it is given with a message. `size` is bytes, `sha256` hex.
    """

    id: UUID
    session_id: UUID
    message_id: UUID | None
    filename: str
    content_type: str
    kind: AttachmentKind
    size: int
    sha256: str
    author: str
    metadata: dict[str, Any]
    created_at: Timestamp


class MessageCallDocument(Struct, kw_only=True):
    """A tool that a message asks for; `status` is the word of seed 004 for its `state`."""

    id: UUID
    message_id: UUID
    run_id: UUID
    name: str
    arguments: dict[str, Any]
    state: State
    status: Status
    result: Any
    error: dict[str, Any] | None


class MessageDocument(Struct, kw_only=True):
    """
    One utterance.

    `place` counts all messages of the session. `parent_id` is the message it follows;
    `branch_count` of them follow that one, and `is_chosen` says whether history shows this one.
    `run_id` is the run that said it, of a user's message the run whose question it answers.
    `answer_run_id` stands only in the answer to whoever said it: the run that answers it, or null.
    """

    id: UUID
    session_id: UUID
    place: int
    role: Role
    content: str
    parent_id: UUID | None
    is_chosen: bool
    branch_count: int
    agent: str
    run_id: UUID | None
    author: str
    token_count: int
    attachments: list[AttachmentDocument]
    tool_calls: list[MessageCallDocument]
    metadata: dict[str, Any]
    created_at: Timestamp
    updated_at: Timestamp
    answer_run_id: UUID | UnsetType | None = UNSET


class MessagePage(Struct, kw_only=True):
    """
    Messages in their order.

    `has_more` says whether there are others beyond; `next_cursor` is then what `before_id` (or
    `after_id`, if that was asked) takes for them, else null.
    """

    data: list[MessageDocument]
    has_more: bool
    next_cursor: UUID | None


class MessageList(Struct, kw_only=True):
    """Messages that follow the same one, the oldest first."""

    data: list[MessageDocument]


class NarrowingQuery(Struct, kw_only=True):
    """Which messages: of a role, from when until when, with a text, with files or tool calls."""

    role: Role | None = None
    since: Timestamp | None = None
    until: Timestamp | None = None
    q: Annotated[str, Meta(max_length=200, pattern="^[^\\x00]*$")] = ""
    has_attachments: bool | None = None
    has_tool_calls: bool | None = None

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            at = getattr(self, name)
            if at is not None:
                setattr(self, name, codecs.in_utc(at))

    def narrowing(self) -> Narrowing:
        """What the selector takes."""
        names = ("role", "since", "until", "has_attachments", "has_tool_calls")
        return Narrowing(text=self.q, **{name: getattr(self, name) for name in names})


class MessageQuery(NarrowingQuery, kw_only=True):
    """
    Which messages: the newest, those ahead of one, or those behind one.

    Of the chosen branch, or of the one that the message `branch` is on.
    """

    before: Annotated[Place, Meta(description="A place.")] | None = None
    after: Annotated[Place, Meta(description="A place.")] | None = None
    before_id: Annotated[UUID, Meta(description="A message.")] | None = None
    after_id: Annotated[UUID, Meta(description="A message.")] | None = None
    branch: UUID | None = None
    limit: Limit = 50
    fields: Fields = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        ends = (self.before, self.after, self.before_id, self.after_id)
        if sum(end is not None for end in ends) > 1:
            raise ValueError("Only one of before, after, before_id and after_id can be asked for")


class MessageInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    What is said, and how it is to be answered.

    The session's agent answers a user's message, unless `answers` says no or `agent` names
    another one. `parent_id` begins a branch behind that message. `attachments` are ids of files
    that were uploaded before. `admission` says what becomes of it while the agent still works.
    """

    content: Content
    role: Literal["user", "system"] = "user"
    attachments: Annotated[list[UUID], Meta(max_length=50)] = []
    parent_id: UUID | None = None
    agent: Annotated[str, Meta(max_length=100)] = ""
    task: Annotated[str, Meta(max_length=128)] = ""
    parameters: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    admission: Admission | None = None
    answers: bool | None = None

    def __post_init__(self) -> None:
        codecs.check_kept(self.parameters, self.metadata)

    def draft(self) -> Utterance:
        """What the service that says it takes."""
        return Utterance(
            content=self.content,
            role=Role(self.role),
            attachments=self.attachments,
            parent=self.parent_id,
            agent=self.agent,
            task=self.task,
            parameters=self.parameters,
            metadata=self.metadata,
            admission=self.admission,
            answers=self.answers,
        )


class EditInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is said instead."""

    content: Content


def attachment(row: Attachment) -> AttachmentDocument:
    """A file as the interface shows it."""
    return AttachmentDocument(
        id=row.pk,
        session_id=row.session_id,
        message_id=row.message_id,
        filename=row.filename,
        content_type=row.content_type,
        kind=AttachmentKind(row.kind),
        size=row.size,
        sha256=row.sha256,
        author=row.author,
        metadata=row.metadata,
        created_at=row.created_at,
    )


def _call(row: ToolCall, message: Message) -> MessageCallDocument:
    state = State(row.state)
    return MessageCallDocument(
        id=row.pk,
        message_id=message.pk,
        run_id=row.run_id,
        name=row.tool,
        arguments=row.arguments,
        state=state,
        status=WORDS[state],
        result=row.result,
        error=row.error,
    )


def document(entry: Entry, *, run: UUID | UnsetType | None = UNSET) -> MessageDocument:
    """A message with what belongs to it; ``run`` is the one that answers it."""
    row = entry.message
    return MessageDocument(
        id=row.pk,
        session_id=row.session_id,
        place=row.place,
        role=Role(row.role),
        content=row.content,
        parent_id=row.parent_id,
        is_chosen=row.is_chosen,
        branch_count=entry.branch_count,
        agent=row.agent,
        run_id=row.run_id,
        author=row.author,
        token_count=row.token_count,
        attachments=[attachment(one) for one in entry.attachments],
        tool_calls=[_call(one, row) for one in entry.calls],
        metadata=row.metadata,
        created_at=row.created_at,
        updated_at=row.updated_at,
        answer_run_id=run,
    )


def said(found: Said, entry: Entry) -> MessageDocument:
    """A message that was just said."""
    return document(entry, run=found.run.pk if found.run else None)


def page(extract: Extract, query: MessageQuery) -> dict[str, Any]:
    """A page of messages as plain values."""
    is_onward = query.after is not None or query.after_id is not None
    last = extract.entries[-1 if is_onward else 0] if extract.has_more else None
    shown = [codecs.show(document(one)) for one in extract.entries]
    return {
        "data": codecs.pick(shown, query.fields, MessageDocument),
        "has_more": extract.has_more,
        "next_cursor": last.message.pk if last else None,
    }
