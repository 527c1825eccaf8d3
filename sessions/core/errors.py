"""Errors of sessions."""

from aegis_project.kit.errors import AegisError


class SessionNotFound(AegisError):
    """There is no such session."""

    code = "SESSION_NOT_FOUND"
    status = 404


class SessionAlreadyExists(AegisError):
    """A session with this key exists."""

    code = "SESSION_ALREADY_EXISTS"
    status = 409


class SessionExpired(AegisError):
    """The session has expired."""

    code = "SESSION_EXPIRED"
    status = 410


class StartTimeout(AegisError):
    """A required component did not become ready in time."""

    code = "START_TIMEOUT"
    status = 504
    temporary = True


class AmbiguousReference(AegisError):
    """More than one session answers to this name."""

    code = "AMBIGUOUS_REFERENCE"
    status = 409


class ComponentLost(AegisError):
    """A required component was lost and did not come back."""

    code = "COMPONENT_LOST"
    status = 503
    temporary = True


class AgentNotFound(AegisError):
    """There is no such agent."""

    code = "AGENT_NOT_FOUND"
    status = 404


class AgentAlreadyExists(AegisError):
    """An agent with this slug exists."""

    code = "AGENT_ALREADY_EXISTS"
    status = 409


class ProviderNotFound(AegisError):
    """There is no such provider."""

    code = "PROVIDER_NOT_FOUND"
    status = 404


class ProviderAlreadyExists(AegisError):
    """A provider with this slug exists."""

    code = "PROVIDER_ALREADY_EXISTS"
    status = 409


class ToolServerNotFound(AegisError):
    """There is no such tool server."""

    code = "TOOL_SERVER_NOT_FOUND"
    status = 404


class ToolServerAlreadyExists(AegisError):
    """A tool server with this slug exists."""

    code = "TOOL_SERVER_ALREADY_EXISTS"
    status = 409


class RunNotFound(AegisError):
    """There is no such run."""

    code = "RUN_NOT_FOUND"
    status = 404


class WorkerLost(AegisError):
    """The process that worked on it was gone too often."""

    code = "WORKER_LOST"
    status = 503
    temporary = True


class MessageNotFound(AegisError):
    """There is no such message."""

    code = "MESSAGE_NOT_FOUND"
    status = 404


class InvalidMessage(AegisError):
    """A message of this kind cannot be said here."""

    code = "INVALID_MESSAGE"
    status = 400


class MessageTooLong(AegisError):
    """The message is longer than one may be."""

    code = "MESSAGE_TOO_LONG"
    status = 413


class AttachmentNotFound(AegisError):
    """There is no such attachment."""

    code = "ATTACHMENT_NOT_FOUND"
    status = 404


class ArtifactNotFound(AegisError):
    """There is no such artifact."""

    code = "ARTIFACT_NOT_FOUND"
    status = 404


class ToolNotFound(AegisError):
    """There is no such tool for this agent."""

    code = "TOOL_NOT_FOUND"
    status = 404


class ToolCallNotFound(AegisError):
    """There is no such tool call."""

    code = "TOOL_CALL_NOT_FOUND"
    status = 404


class ToolExecutionFailed(AegisError):
    """The tool could not do what it was asked."""

    code = "TOOL_EXECUTION_FAILED"
    status = 500


class ToolTimeout(AegisError):
    """The tool did not answer in time."""

    code = "TOOL_TIMEOUT"
    status = 504
    temporary = True


class InvalidToolArgs(AegisError):
    """The arguments are not those of the tool."""

    code = "INVALID_TOOL_ARGS"
    status = 422


class CheckpointNotFound(AegisError):
    """There is no such checkpoint."""

    code = "CHECKPOINT_NOT_FOUND"
    status = 404


class ApprovalNotFound(AegisError):
    """There is no such approval."""

    code = "APPROVAL_NOT_FOUND"
    status = 404


class ApprovalRequired(AegisError):
    """Somebody has to approve a tool call first."""

    code = "APPROVAL_REQUIRED"
    status = 202
    temporary = True


class ApprovalTimeout(AegisError):
    """Nobody decided in time."""

    code = "APPROVAL_TIMEOUT"
    status = 410


class ApprovalRejected(AegisError):
    """The tool call was rejected."""

    code = "APPROVAL_REJECTED"
    status = 403


class ApprovalAlreadyDecided(AegisError):
    """Somebody else decided before."""

    code = "APPROVAL_ALREADY_DECIDED"
    status = 409


class ApprovalStale(AegisError):
    """What the decision rests on is not what it was; it has to be looked at again."""

    code = "APPROVAL_STALE"
    status = 409


class GrantNotFound(AegisError):
    """There is no such rule made from a decision."""

    code = "GRANT_NOT_FOUND"
    status = 404


class PolicyAlreadyExists(AegisError):
    """A policy with this name exists."""

    code = "POLICY_ALREADY_EXISTS"
    status = 409


class PolicyInUse(AegisError):
    """An agent goes by this policy."""

    code = "POLICY_IN_USE"
    status = 409


class DeliveryNotFound(AegisError):
    """There is no such delivery of this webhook."""

    code = "DELIVERY_NOT_FOUND"
    status = 404


class PolicyNotFound(AegisError):
    """There is no such policy."""

    code = "POLICY_NOT_FOUND"
    status = 404


class WebhookNotFound(AegisError):
    """There is no such webhook."""

    code = "WEBHOOK_NOT_FOUND"
    status = 404


class LLMError(AegisError):
    """The model's provider failed."""

    code = "LLM_ERROR"
    status = 502
    temporary = True


class LLMTimeout(AegisError):
    """The model did not answer in time."""

    code = "LLM_TIMEOUT"
    status = 504
    temporary = True


class TokenLimit(AegisError):
    """The conversation is longer than the model takes."""

    code = "TOKEN_LIMIT"
    status = 413


class BudgetExceeded(AegisError):
    """The work needs more than it may use; an operator may raise the limit."""

    code = "BUDGET_EXCEEDED"
    status = 402
