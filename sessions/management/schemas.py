"""The published schemas: what each command prints with ``--json``."""

from typing import Any

import msgspec

from aegis_project.health import Finding, Setting
from components.api.documents import ComponentDocument, CredentialDocument, SecretDocument
from sessions.api.agent_documents import AgentDocument, ProviderDocument
from sessions.api.analyses import AnalysisDocument
from sessions.api.approval_batches import BatchDocument
from sessions.api.approval_documents import ApprovalDocument
from sessions.api.bookmarks import BookmarkDocument
from sessions.api.budgets import BudgetDocument
from sessions.api.checkpoint_documents import (
    CheckpointDocument,
    CheckpointSummary,
    DifferenceDocument,
)
from sessions.api.clock import ClockDocument
from sessions.api.comparing import ComparisonDocument
from sessions.api.documents import SessionDocument
from sessions.api.grants import GrantDocument
from sessions.api.message_documents import MessageDocument
from sessions.api.participants import AnswerDocument, DetachedDocument
from sessions.api.policies import PolicyDocument, VerdictDocument
from sessions.api.quotas import TeamQuotasDocument
from sessions.api.rehearsals import RehearsalDocument
from sessions.api.reviews import ReviewDocument
from sessions.api.run_documents import RunDocument
from sessions.api.search import FoundDocument
from sessions.api.statistics_documents import StatisticsDocument
from sessions.api.tags import TagDocument
from sessions.api.template_documents import (
    TemplateDifferenceDocument,
    TemplateDocument,
    VersionDocument,
)
from sessions.api.tool_documents import (
    ArtifactDocument,
    KnownToolDocument,
    ToolCallDocument,
    ToolDocument,
)
from sessions.api.tool_servers import ToolServerDocument
from sessions.api.triggers import TriggerDocument, TriggerTrialDocument
from sessions.api.webhooks import DeliveryDocument, TrialDocument, WebhookDocument
from sessions.dialects.daemon import CommandAnswer
from sessions.management import published
from streaming.api.audit_documents import AuditDocument, ChainVerdictDocument
from streaming.api.documents import EventDocument
from streaming.api.topic_documents import PublishedDocument, SubscriberDocument, TopicDocument

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REF = "#/$defs/{name}"


def _of(noun: str, verbs: str, kind: Any) -> dict[str, Any]:
    return {f"{noun}.{verb}": kind for verb in verbs.split()}


LEVER = "start pause stop complete fail end delete restart recover"
PLANNED = "start.plan pause.plan stop.plan end.plan delete.plan restart.plan recover.plan"
# What stands in `data`, by the name in `schema`.
DOCUMENTS: dict[str, Any] = {
    **_of("session", f"list assign {LEVER}", list[SessionDocument]),
    **_of("session", "create attach import fork redrive", SessionDocument),
    **_of("session", PLANNED, list[published.PlannedDocument]),
    **_of("session", "state", published.StateDocument),
    **_of("session", "clock seek step speed", ClockDocument),
    **_of("session", "tag untag", published.SessionTagsDocument),
    **_of("session", "export", published.CapsuleDocument),
    **_of("component", "list", list[ComponentDocument]),
    **_of("component", "show ping restart", ComponentDocument),
    **_of("component", "detach", DetachedDocument),
    **_of("component", "log-level", AnswerDocument),
    **_of("component", "run", published.HostedDocument),
    **_of("topic", "list rate", list[TopicDocument]),
    **_of("topic", "lag", list[SubscriberDocument]),
    **_of("topic", "info", published.ReadTopicDocument),
    **_of("topic", "publish", PublishedDocument),
    **_of("credential", "list revoke", list[CredentialDocument]),
    **_of("credential", "issue rotate", SecretDocument),
    **_of("message", "list", list[MessageDocument]),
    **_of("message", "say edit choose", MessageDocument),
    **_of("agent", "list remove", list[AgentDocument]),
    **_of("agent", "show create update", AgentDocument),
    **_of("runs", "list", list[RunDocument]),
    **_of("runs", "show start cancel limits", RunDocument),
    **_of("approval", "list approve.several reject.several", list[ApprovalDocument]),
    **_of("approval", "show approve reject claim hand-over", ApprovalDocument),
    **_of("approval", "approve.plan reject.plan", BatchDocument),
    **_of("checkpoint", "list remove", list[CheckpointSummary]),
    **_of("checkpoint", "create", CheckpointSummary),
    **_of("checkpoint", "show", CheckpointDocument),
    **_of("checkpoint", "diff", DifferenceDocument),
    **_of("session", "diff", ComparisonDocument),
    **_of("replay", "review", ReviewDocument),
    **_of("session", "send", MessageDocument),
    **_of("session", "note", BookmarkDocument),
    **_of("policy", "list", list[PolicyDocument]),
    **_of("policy", "show", PolicyDocument),
    **_of("policy", "test", VerdictDocument),
    **_of("policy", "grants", list[GrantDocument]),
    **_of("policy", "revoke", GrantDocument),
    **_of("policy", "rehearse", RehearsalDocument),
    **_of("provider", "list remove", list[ProviderDocument]),
    **_of("provider", "show create update", ProviderDocument),
    **_of("agent", "check", list[Finding]),
    **_of("tool", "list", list[ToolDocument]),
    **_of("tool", "show", KnownToolDocument),
    **_of("tool", "calls", list[ToolCallDocument]),
    **_of("tool-server", "list remove", list[ToolServerDocument]),
    **_of("tool-server", "show create update", ToolServerDocument),
    **_of("budget", "list remove", list[BudgetDocument]),
    **_of("budget", "set", BudgetDocument),
    **_of("quota", "list", list[TeamQuotasDocument]),
    **_of("role", "list", list[published.StandingDocument]),
    **_of("role", "give take", published.StandingDocument),
    **_of("artifact", "list remove", list[ArtifactDocument]),
    **_of("artifact", "write generate", ArtifactDocument),
    **_of("artifact", "read", published.ReadDocument),
    **_of("artifact", "analyze", AnalysisDocument),
    **_of("artifact", "link", published.PathDocument),
    **_of("artifact", "link.withdraw", published.WithdrawnDocument),
    **_of("tag", "list remove suggest", list[TagDocument]),
    **_of("tag", "create change", TagDocument),
    **_of("bookmark", "list remove", list[BookmarkDocument]),
    **_of("bookmark", "create change", BookmarkDocument),
    **_of("template", "list remove", list[TemplateDocument]),
    **_of("template", "create from-session change activate import", TemplateDocument),
    **_of("template", "show", published.RecipeDocument),
    **_of("template", "test", SessionDocument),
    **_of("template", "versions", list[VersionDocument]),
    **_of("template", "diff", list[TemplateDifferenceDocument]),
    **_of("trigger", "list remove", list[TriggerDocument]),
    **_of("trigger", "show create update", TriggerDocument),
    **_of("trigger", "test", TriggerTrialDocument),
    **_of("webhook", "list remove", list[WebhookDocument]),
    **_of("webhook", "show create update rotate", WebhookDocument),
    **_of("webhook", "test", TrialDocument),
    **_of("webhook", "deliveries", list[DeliveryDocument]),
    **_of("webhook", "redeliver", DeliveryDocument),
    **_of("secrets", "reseal", published.ResealedDocument),
    **_of("audit", "list search", list[AuditDocument]),
    **_of("audit", "show", AuditDocument),
    **_of("audit", "verify", ChainVerdictDocument),
    **_of("demo", "status reset", list[published.MadeDocument]),
    "command": CommandAnswer,
    "search": FoundDocument,
    "statistics": StatisticsDocument,
    "load-test": published.LoadDocument,
    "doctor": list[Finding],
    "doctor.settings": list[Setting],
    "backup": published.BackupDocument,
    "restore": published.RestoredDocument,
    "purge": list[published.PurgedDocument],
    "schema": list[published.CommandDocument],
}
ERROR = "error"
"""The name of what is printed instead, by whatever was refused."""
# What one line is, of the commands that print a line for each thing as it comes.
LINES: dict[str, Any] = {
    "approval.watch": ApprovalDocument,
    "event.tail": EventDocument,
    "session.watch": EventDocument,
    "topic.tail": published.TailedDocument,
    "audit.tail": AuditDocument,
}
# Two words for one thing.
ALIASES = {
    "session.resume": "session.start",
    "session.show": "session.state",
    "session.bookmark": "bookmark.create",
    "replay.drive": "session.redrive",
    "stats": "statistics",
}


def named(command: str) -> str:
    """The name of the schema of a command such as `session list`; the name itself is one, too."""
    name = ".".join(command.split())
    return ALIASES.get(name, name)


def is_published(name: str) -> bool:
    """Whether there is a schema of this name."""
    return name in DOCUMENTS or name in LINES or name == ERROR


def schema(name: str) -> dict[str, Any]:
    """
    The JSON schema of a document, or of one line of a stream.

    :raises KeyError: for a name that is not published
    """
    about = {"$schema": DIALECT, "title": f"aegis.{name}/1"}
    if name in LINES:
        return about | msgspec.json.schema(LINES[name])
    what = "error" if name == ERROR else "data"
    kind = published.ErrorDocument if name == ERROR else DOCUMENTS[name]
    [told], definitions = msgspec.json.schema_components([kind], ref_template=REF)
    members = {"schema": {"const": f"aegis.{name}/1"}, what: told, "meta": {"type": "object"}}
    return about | {
        "type": "object",
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
        "$defs": definitions,
    }
