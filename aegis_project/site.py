"""What the admin's shell asks of the installation: its label and who sees which place."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from components.admin.asking import asking, standing
from components.core.scopes import METRICS


def environment(_request: HttpRequest) -> list[str]:
    """The label in the header of every page: the profile that this installation runs."""
    profile = "production" if settings.IS_PRODUCTION else "development"
    return [profile, "danger" if settings.IS_PRODUCTION else "info"]


def who(request: HttpRequest) -> dict[str, Callable[[], str]]:
    """For every page: as what and in which teams somebody is signed in, read where it is shown."""
    return {"standing": lambda: standing(request)}


def is_at_sessions(request: HttpRequest) -> bool:
    """Whether a page of sessions is open; other places stand below the same address."""
    own = reverse("admin:aegis_sessions_session_changelist")
    numbers = reverse("admin:aegis_sessions_statistics_changelist")
    is_number = request.path.startswith(numbers)
    return request.path.startswith(own) and not is_number and not is_at_replay(request)


def is_at_replay(request: HttpRequest) -> bool:
    """Whether what happened is looked at."""
    own = reverse("admin:aegis_sessions_replay_changelist")
    return request.path.startswith(own) or request.path.endswith("/review/")


def may_view_session(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_sessions.view_session")


def may_view_component(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_components.view_component")


def may_view_agent(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_sessions.view_agent")


def may_view_approval(request: HttpRequest) -> bool:
    user = request.user
    return user.has_perm("aegis_sessions.view_approval") or user.has_perm(
        "aegis_sessions.decide_approval"
    )


def may_view_template(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_sessions.view_preset")


def may_view_policy(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_sessions.view_policy")


def may_view_tool_server(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_sessions.view_toolserver")


def may_view_webhook(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_sessions.view_webhook")


def may_view_credential(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_components.view_credential")


def may_view_program(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_components.view_program")


def may_view_topic(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_streaming.view_log")


def may_view_health(request: HttpRequest) -> bool:
    return asking(request).allows(METRICS)


def may_view_audit(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_streaming.view_auditentry")
