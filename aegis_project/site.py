"""What the admin's shell asks of the installation: its label and who sees which place."""

from django.conf import settings
from django.http import HttpRequest


def environment(_request: HttpRequest) -> list[str]:
    """The label in the header of every page: the profile that this installation runs."""
    profile = "production" if settings.IS_PRODUCTION else "development"
    return [profile, "danger" if settings.IS_PRODUCTION else "info"]


def may_view_session(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_sessions.view_session")


def may_view_component(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_components.view_component")


def may_view_agent(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_sessions.view_agent")


def may_view_approval(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_sessions.view_approval")


def may_view_policy(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_sessions.view_policy")


def may_view_webhook(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_sessions.view_webhook")


def may_view_credential(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_components.view_credential")


def may_view_program(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_components.view_program")


def may_view_topic(request: HttpRequest) -> bool:
    return request.user.has_perm("aegis_streaming.view_log")
