"""Tools, tool calls and files as the interface shows them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from sessions.core.lifecycle import Environment
from sessions.core.tool_calls import WORDS, Risk, State
from sessions.core.tools import ToolSpec
from sessions.models import Approval, Artifact, ToolCall
from sessions.toolbox.known import Told
from streaming.api import codecs
from streaming.api.codecs import Timestamp
from streaming.api.documents import PageQuery

Reason = Annotated[str, Meta(max_length=2000)]


class ToolDocument(Struct, kw_only=True):
    """A tool; `parameters` is the JSON Schema of its arguments, `evidence` names topics."""

    name: str
    description: str
    parameters: dict[str, Any]
    risk: Risk
    version: str
    source: str
    timeout_seconds: float
    is_idempotent: bool
    always_ask: bool
    evidence: list[str]


class KnownToolDocument(ToolDocument, kw_only=True):
    """A tool, the agents that may ask for it, and what each policy says to a call without arguments."""

    agents: list[str]
    verdicts: dict[str, str]


class ToolList(Struct, kw_only=True):
    """Tools by name; `silent` says why a server that was asked said nothing of its tools."""

    data: list[ToolDocument]
    silent: dict[str, str]


class ToolQuery(Struct, kw_only=True):
    """Which tools: also those of a session's components, and what tool servers say now."""

    session: Annotated[str, Meta(max_length=200, description="The id or key of a session.")] = ""
    ask: Annotated[bool, Meta(description="Ask the tool servers for theirs, too.")] = False


class OneToolQuery(Struct, kw_only=True):
    """Where a tool is looked at."""

    session: Annotated[str, Meta(max_length=200, description="The id or key of a session.")] = ""
    environment: Annotated[
        Environment, Meta(description="Where the policies are asked about it.")
    ] = Environment.DEVELOPMENT


class ToolCallDocument(Struct, kw_only=True):
    """
    A run's request to act.

    `status` is seed 004's word, `state` the whole of it; `call` is the model's own id,
    `effect_key` the same in every attempt at this effect. `approved_by` is who or which rule.
    """

    id: UUID
    session_id: UUID
    run_id: UUID
    message_id: UUID | None
    call: str
    name: str
    source: str
    version: str
    arguments: dict[str, Any]
    asked_arguments: dict[str, Any]
    status: str
    state: State
    risk: Risk
    is_idempotent: bool
    requires_approval: bool
    approval_id: UUID | None
    approved_by: str
    approved_at: Timestamp | None
    rule: str
    digest: str
    effect_key: str
    attempt: int
    result: Any
    error: dict[str, Any] | None
    artifact_id: UUID | None
    created_at: Timestamp
    executed_at: Timestamp | None
    completed_at: Timestamp | None


class ToolCallPage(Struct, kw_only=True):
    """Tool calls, and the cursor of the page that follows; an empty one after the last page."""

    data: list[ToolCallDocument]
    next: str


class ToolCallQuery(PageQuery, kw_only=True):
    """Which tool calls, the newest first unless another order is asked for."""

    status: Annotated[
        str, Meta(max_length=200, description="States, or words of seed 004, commas between.")
    ] = ""
    status_filter: Annotated[
        str, Meta(max_length=200, description="The same, by its older name.")
    ] = ""
    ordering: Literal["-created_at", "created_at"] = "-created_at"

    def words(self) -> list[str]:
        """The states that are asked for, in either vocabulary."""
        return [
            word for one in (self.status or self.status_filter).split(",") if (word := one.strip())
        ]


class ActionInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """A decision in the words of seed 004."""

    action: Literal["approve", "reject"]
    reason: Reason = ""


class ResolveInput(Struct, kw_only=True, forbid_unknown_fields=True):
    """
    What came of a call that nobody knows of.

    `completed` with what it returned, `failed` with why, or `again`: with the same effect key.
    """

    outcome: Literal["completed", "failed", "again"]
    result: Any = None
    reason: Reason = ""

    def __post_init__(self) -> None:
        codecs.check_kept(self.result)


class ArtifactDocument(Struct, kw_only=True):
    """A file that was made in a session, in one version."""

    id: UUID
    session_id: UUID
    name: str
    version: int
    content_type: str
    size: int
    sha256: str
    run_id: UUID | None
    author: str
    metadata: dict[str, Any]
    created_at: Timestamp


class ArtifactPage(Struct, kw_only=True):
    """Files, and the cursor of the page that follows; an empty one after the last page."""

    data: list[ArtifactDocument]
    next: str


class VersionList(Struct, kw_only=True):
    """All versions of a file, the newest first."""

    data: list[ArtifactDocument]


def tool(spec: ToolSpec) -> ToolDocument:
    """The document of a tool."""
    own = {name: getattr(spec, name) for name in ToolDocument.__struct_fields__}
    return ToolDocument(**{**own, "evidence": list(spec.evidence)})


def known(told: Told) -> KnownToolDocument:
    """The document of a tool with what is said to it."""
    own = {name: getattr(tool(told.spec), name) for name in ToolDocument.__struct_fields__}
    return KnownToolDocument(**own, agents=told.agents, verdicts=dict(told.verdicts))


def tool_call(row: ToolCall, approval: Approval | None) -> ToolCallDocument:
    """The document of a tool call; ``approval`` is the last that was asked for it, if any."""
    state = State(row.state)
    is_let_by = approval is None and state not in {State.REJECTED, State.PENDING}
    by = row.rule if is_let_by else approval.decided_by if approval else ""
    return ToolCallDocument(
        id=row.pk,
        session_id=row.session_id,
        run_id=row.run_id,
        message_id=row.message_id,
        call=row.call_id,
        name=row.tool,
        source=row.source,
        version=row.tool_version,
        arguments=row.arguments,
        asked_arguments=row.asked_arguments,
        status=WORDS[state],
        state=state,
        risk=Risk(row.risk),
        is_idempotent=row.is_idempotent,
        requires_approval=approval is not None,
        approval_id=approval.pk if approval else None,
        approved_by=by,
        approved_at=approval.decided_at if approval else None,
        rule=row.rule,
        digest=row.digest,
        effect_key=row.effect_key,
        attempt=row.attempt,
        result=row.result,
        error=row.error,
        artifact_id=row.artifact_id,
        created_at=row.created_at,
        executed_at=row.started_at,
        completed_at=row.ended_at,
    )


def artifact(row: Artifact) -> ArtifactDocument:
    """The document of one version of a file."""
    return ArtifactDocument(
        id=row.pk,
        **{name: getattr(row, name) for name in ArtifactDocument.__struct_fields__ if name != "id"},
    )
