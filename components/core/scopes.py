"""What a credential or a person may be allowed to do: verbs times kinds."""

from aegis_project.kit.principal import ALL

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
        "templates:read",
        "templates:write",
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
        "metrics:read",
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
        "aegis_components.change_component",
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
