"""The settings of Unfold: names, colours and the places of the sidebar."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

# The ramps are those of the design language; Unfold makes CSS variables of them.
BASE = {
    "50": "#f7f8f9",
    "100": "#f1f2f4",
    "200": "#e4e6ea",
    "300": "#cfd3da",
    "400": "#949ca8",
    "500": "#646b77",
    "600": "#3f454f",
    "700": "#363c46",
    "800": "#24282f",
    "900": "#111317",
    "950": "#0c0d10",
}
PRIMARY = {
    "50": "#edf2fe",
    "100": "#dde6fd",
    "200": "#c3d3fb",
    "300": "#9db6f7",
    "400": "#9ab8ff",
    "500": "#85a9ff",
    "600": "#2a58d6",
    "700": "#2148b4",
    "800": "#2c4274",
    "900": "#213055",
    "950": "#182238",
}
FONT = {
    "subtle-light": "var(--color-base-500)",
    "subtle-dark": "var(--color-base-400)",
    "default-light": "var(--color-base-600)",
    "default-dark": "#c4c9d2",
    "important-light": "#14161a",
    "important-dark": "#f1f3f5",
}


def place(title: str, icon: str, page: str, model: str, **more: str) -> dict[str, Any]:
    """One place of the sidebar; only who may view its model sees it."""
    return {
        **more,
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{page}"),
        "permission": f"aegis_project.site.may_view_{model}",
    }


def _file(path: str) -> Any:
    return lambda _request: static(path)


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Aegis",
    "SITE_HEADER": "Aegis",
    "SITE_SUBHEADER": "Flight deck",
    "SITE_SYMBOL": "shield",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": _file("aegis/favicon.svg")},
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "ENVIRONMENT": "aegis_project.site.environment",
    "COLORS": {"base": BASE, "primary": PRIMARY, "font": FONT},
    "STYLES": [_file("aegis/aegis.css"), _file("aegis/approvals.css")],
    "SCRIPTS": [_file("aegis/js/shell.js")],
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    place("Sessions", "stacks", "aegis_sessions_session_changelist", "session"),
                    place(
                        "Approvals",
                        "gavel",
                        "aegis_sessions_approval_changelist",
                        "approval",
                        badge="sessions.admin.approval_cells.badge",
                    ),
                ],
            },
            {
                "title": "Streams",
                "items": [
                    place(
                        "Components",
                        "hub",
                        "aegis_components_component_changelist",
                        "component",
                    ),
                    place("Topics", "waves", "aegis_streaming_log_changelist", "topic"),
                ],
            },
            {
                "title": "Agents",
                "items": [
                    place("Agents", "smart_toy", "aegis_sessions_agent_changelist", "agent"),
                    place("Policies", "policy", "aegis_sessions_policy_changelist", "policy"),
                    place("Grants", "rule", "aegis_sessions_grant_changelist", "policy"),
                    place("Providers", "cloud", "aegis_sessions_provider_changelist", "agent"),
                ],
            },
            {
                "title": "System",
                "items": [
                    place(
                        "Programs",
                        "terminal",
                        "aegis_components_program_changelist",
                        "program",
                    ),
                    place("Webhooks", "webhook", "aegis_sessions_webhook_changelist", "webhook"),
                    place(
                        "Credentials",
                        "key",
                        "aegis_components_credential_changelist",
                        "credential",
                    ),
                ],
            },
        ],
    },
}
