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
    """
    One place of the sidebar; only who may view its model sees it.

    After ``g``, its ``key`` leads there.
    """
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
    "DASHBOARD_CALLBACK": "sessions.admin.dashboard.callback",
    "COLORS": {"base": BASE, "primary": PRIMARY, "font": FONT},
    "STYLES": [
        _file("aegis/aegis.css"),
        _file("aegis/approvals.css"),
        _file("aegis/dashboard.css"),
        _file("aegis/lanes.css"),
        _file("aegis/palette.css"),
        _file("aegis/playground.css"),
    ],
    "SCRIPTS": [_file("aegis/js/shell.js")],
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        # In the order of an operator's questions; what is looked up stands below what is watched.
        "navigation": [
            {
                "items": [
                    place("Dashboard", "space_dashboard", "index", "session", key="d"),
                    place(
                        "Approvals",
                        "how_to_reg",
                        "aegis_sessions_approval_changelist",
                        "approval",
                        key="a",
                        badge="sessions.admin.approval_cells.badge",
                    ),
                    place(
                        "Sessions",
                        "stacks",
                        "aegis_sessions_session_changelist",
                        "session",
                        key="s",
                        active="aegis_project.site.is_at_sessions",
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
                        key="c",
                    ),
                    place("Topics", "waves", "aegis_streaming_log_changelist", "topic", key="t"),
                    place(
                        "Replay",
                        "history",
                        "aegis_sessions_replay_changelist",
                        "session",
                        key="r",
                        active="aegis_project.site.is_at_replay",
                    ),
                ],
            },
            {
                "title": "Catalogue",
                "items": [
                    place(
                        "Templates",
                        "content_copy",
                        "aegis_sessions_preset_changelist",
                        "template",
                    ),
                    place("Agents", "smart_toy", "aegis_sessions_agent_changelist", "agent"),
                    place("Policies", "rule", "aegis_sessions_policy_changelist", "policy"),
                    place("Grants", "policy", "aegis_sessions_grant_changelist", "policy"),
                    place("Triggers", "bolt", "aegis_sessions_trigger_changelist", "agent"),
                    place(
                        "Tool servers",
                        "build",
                        "aegis_sessions_toolserver_changelist",
                        "tool_server",
                    ),
                    place("Providers", "cloud", "aegis_sessions_provider_changelist", "agent"),
                ],
            },
            {
                "title": "Evidence",
                "items": [
                    place(
                        "Statistics",
                        "bar_chart",
                        "aegis_sessions_statistics_changelist",
                        "session",
                    ),
                    place(
                        "Audit",
                        "fact_check",
                        "aegis_streaming_auditentry_changelist",
                        "audit",
                    ),
                ],
            },
            {
                "title": "System",
                "items": [
                    place(
                        "Credentials",
                        "key",
                        "aegis_components_credential_changelist",
                        "credential",
                    ),
                    place(
                        "Programs",
                        "terminal",
                        "aegis_components_program_changelist",
                        "program",
                    ),
                    place("Webhooks", "webhook", "aegis_sessions_webhook_changelist", "webhook"),
                    {
                        "title": "Budgets",
                        "icon": "account_balance_wallet",
                        "link": reverse_lazy("budgets"),
                        "permission": "aegis_project.site.may_view_session",
                    },
                    {
                        "title": "Health",
                        "icon": "monitor_heart",
                        "link": reverse_lazy("health"),
                        "permission": "aegis_project.site.may_view_health",
                    },
                    {
                        "title": "Playground",
                        "icon": "terminal",
                        "link": reverse_lazy("playground"),
                        "permission": "aegis_project.site.may_view_session",
                    },
                ],
            },
        ],
    },
}
