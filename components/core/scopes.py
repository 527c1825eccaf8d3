"""What a credential or a person may be allowed to do: verbs times kinds."""

from aegis_project.kit.principal import ALL

# What each lets somebody do, as docs/access.md has it.
MEANINGS = {
    "sessions:read": "see sessions, their library and statistics; export one",
    "sessions:write": "make, change, fork, import and tag sessions; apply templates, write memory, share bookmarks",
    "sessions:control": "pull the lever: start to end, attach and detach, checkpoint, recover, seek, session tokens",
    "components:read": "see components and their signs of life",
    "topics:read": "subscribe to topics and read their records",
    "topics:publish": "publish to topics, and send commands to components",
    "events:read": "read ledgers, follow them, review what was",
    "messages:read": "read conversations and files",
    "messages:write": "write to conversations, upload and remove files",
    "agents:read": "see agents and their triggers",
    "agents:write": "define agents and their triggers",
    "runs:read": "see runs, their steps and tool calls",
    "runs:write": "start and cancel runs, set their limits",
    "approvals:read": "see approvals with their evidence",
    "approvals:decide": "claim, decide and hand over approvals",
    "policies:read": "see policies and grants, rehearse",
    "policies:write": "define policies, end grants",
    "templates:read": "see templates",
    "templates:write": "keep templates",
    "webhooks:read": "see webhooks and their deliveries",
    "webhooks:write": "define webhooks, try and redeliver",
    "credentials:read": "see credentials, never their secrets",
    "credentials:write": "issue, rotate and revoke credentials",
    "programs:read": "see programs",
    "programs:write": "define what launchers run",
    "providers:write": "define where models are reached",
    "tool_servers:read": "see tool servers",
    "tool_servers:write": "define which tool servers are asked",
    "audit:read": "read and verify the audit",
    "metrics:read": "read the figures of the installation, and how it is",
}
SCOPES = frozenset(MEANINGS)

# The demo operator of --open has no say over secrets, over what runs on this machine or what
# needs whose approval, nor over what leaves it.
OPEN_SCOPES = frozenset(
    SCOPES
    - {"credentials:read", "credentials:write", "programs:read", "programs:write", "audit:read"}
    - {"policies:write", "webhooks:read", "webhooks:write", "agents:write", "providers:write"}
    - {"tool_servers:read", "tool_servers:write"}
)

# What a launcher may do beyond everybody else; nobody can give it to a credential.
LAUNCHER = "launches:write"
# To read the figures of the installation, and how it is.
METRICS = "metrics:read"
# To take the whole instance away, or make it anew: for the command line and superusers only.
INSTANCE = "instance:write"

# Django's permission that grants each scope to a person.
PERMISSIONS = {
    "aegis_sessions.view_session": ("sessions:read", "components:read", "events:read"),
    "aegis_sessions.add_session": ("sessions:write",),
    "aegis_sessions.change_session": ("sessions:write",),
    "aegis_sessions.control_session": ("sessions:control",),
    "aegis_sessions.view_message": ("messages:read",),
    "aegis_sessions.add_message": ("messages:write",),
    "aegis_sessions.view_agent": ("agents:read",),
    "aegis_sessions.change_agent": ("agents:write",),
    "aegis_sessions.view_run": ("runs:read",),
    "aegis_sessions.add_run": ("runs:write",),
    "aegis_sessions.view_approval": ("approvals:read",),
    # The right to decide is a right to see what is decided on.
    "aegis_sessions.decide_approval": ("approvals:decide", "approvals:read"),
    "aegis_sessions.view_policy": ("policies:read",),
    "aegis_sessions.change_policy": ("policies:write",),
    "aegis_sessions.view_preset": ("templates:read",),
    "aegis_sessions.change_preset": ("templates:write",),
    "aegis_sessions.view_webhook": ("webhooks:read",),
    "aegis_sessions.change_webhook": ("webhooks:write",),
    "aegis_components.view_component": ("components:read",),
    "aegis_streaming.view_log": ("topics:read",),
    "aegis_streaming.change_log": ("topics:publish",),
    "aegis_components.view_credential": ("credentials:read",),
    "aegis_components.add_credential": ("credentials:write",),
    # Who may define what runs, where models are reached and which tool servers are asked is an
    # administrator, whatever else somebody was permitted.
    "aegis_sessions.view_toolserver": ("tool_servers:read",),
    "aegis_components.view_program": ("programs:read",),
    "aegis_streaming.view_auditentry": ("audit:read",),
}

VIEWER = (
    "aegis_sessions.view_session",
    "aegis_sessions.view_message",
    "aegis_sessions.view_agent",
    "aegis_sessions.view_run",
    "aegis_sessions.view_approval",
    "aegis_sessions.view_policy",
    "aegis_sessions.view_preset",
    "aegis_components.view_component",
    "aegis_streaming.view_log",
)

# What people usually are, as the permissions that make them so. A role is no group: groups are
# teams, and whoever is of one sees what is of it.
ROLES: dict[str, tuple[str, ...]] = {
    "viewer": VIEWER,
    "operator": (
        *VIEWER,
        "aegis_sessions.add_session",
        "aegis_sessions.change_session",
        "aegis_sessions.control_session",
        "aegis_sessions.change_preset",
        "aegis_sessions.add_message",
        "aegis_sessions.add_run",
        "aegis_streaming.change_log",
        "aegis_components.view_credential",
        "aegis_components.add_credential",
    ),
    # What is decided on they see, and no more than that.
    "approver": ("aegis_sessions.view_approval", "aegis_sessions.decide_approval"),
}


def granted(permissions: set[str]) -> frozenset[str]:
    """The scopes that a person's permissions amount to."""
    return frozenset(
        scope for name in permissions & PERMISSIONS.keys() for scope in PERMISSIONS[name]
    )


def roles(given: frozenset[str]) -> list[str]:
    """The roles that these scopes amount to; ``*`` is all of them."""
    return [name for name, one in ROLES.items() if ALL in given or granted(set(one)) <= given]
