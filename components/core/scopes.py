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
        "credentials:read",
        "credentials:write",
        "audit:read",
    }
)

# The demo operator of --open has no say over secrets.
OPEN_SCOPES = frozenset(SCOPES - {"credentials:read", "credentials:write", "audit:read"})

# Django's permission that grants each scope to a person.
PERMISSIONS = {
    "aegis_sessions.view_session": ("sessions:read", "components:read", "events:read"),
    "aegis_sessions.add_session": ("sessions:write",),
    "aegis_sessions.change_session": ("sessions:write",),
    "aegis_sessions.control_session": ("sessions:control",),
    "aegis_components.view_component": ("components:read",),
    "aegis_components.change_component": ("components:write",),
    "aegis_streaming.view_log": ("topics:read",),
    "aegis_streaming.change_log": ("topics:publish",),
    "aegis_components.view_credential": ("credentials:read",),
    "aegis_components.add_credential": ("credentials:write",),
    "aegis_streaming.view_auditentry": ("audit:read",),
}


def granted(permissions: set[str]) -> frozenset[str]:
    """The scopes that a person's permissions amount to."""
    return frozenset(
        scope for name in permissions & PERMISSIONS.keys() for scope in PERMISSIONS[name]
    )
