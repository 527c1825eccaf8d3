"""What a credential or a person may be allowed to do: verbs times kinds."""

SCOPES = frozenset(
    {
        "sessions:read",
        "sessions:write",
        "sessions:control",
        "components:read",
        "components:write",
        "topics:read",
        "topics:publish",
        "events:read",
        "messages:read",
        "messages:write",
        "agents:read",
        "agents:write",
        "runs:read",
        "runs:write",
        "approvals:read",
        "approvals:decide",
        "policies:read",
        "policies:write",
        "webhooks:read",
        "webhooks:write",
        "credentials:read",
        "credentials:write",
        "programs:read",
        "programs:write",
        "providers:write",
        "tool_servers:read",
        "tool_servers:write",
        "audit:read",
    }
)

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
    "aegis_sessions.decide_approval": ("approvals:decide",),
    "aegis_sessions.view_policy": ("policies:read",),
    "aegis_sessions.change_policy": ("policies:write",),
    "aegis_sessions.view_webhook": ("webhooks:read",),
    "aegis_sessions.change_webhook": ("webhooks:write",),
    "aegis_components.view_component": ("components:read",),
    "aegis_components.change_component": ("components:write",),
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


def granted(permissions: set[str]) -> frozenset[str]:
    """The scopes that a person's permissions amount to."""
    return frozenset(
        scope for name in permissions & PERMISSIONS.keys() for scope in PERMISSIONS[name]
    )
