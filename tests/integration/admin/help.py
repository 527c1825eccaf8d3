"""What tests of the admin share."""

import re

from django.contrib.auth.models import User
from django.urls import reverse

from aegis_project.kit.principal import Principal
from components import auth

SESSIONS = "/admin/aegis_sessions/session/"
COMPONENTS = "/admin/aegis_components/component/"
PROGRAMS = "/admin/aegis_components/program/"
AGENTS = "/admin/aegis_sessions/agent/"
PROVIDERS = "/admin/aegis_sessions/provider/"
GRANTS = "/admin/aegis_sessions/grant/"
TRIGGERS = "/admin/aegis_sessions/trigger/"
TOOL_SERVERS = "/admin/aegis_sessions/toolserver/"
WEBHOOKS = "/admin/aegis_sessions/webhook/"
CREDENTIALS = "/admin/aegis_components/credential/"
AUDIT = "/admin/aegis_streaming/auditentry/"


def principal(user: User) -> Principal:
    return auth.of_user(user, transport="test")


def address(session, name: str = "change", *more) -> str:
    return reverse(f"admin:aegis_sessions_session_{name}", args=[session.pk, *more])


def text(answer) -> str:
    """The words of a page, without its markup."""
    html = answer if isinstance(answer, str) else answer.content.decode()
    html = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def rows(answer) -> list[str]:
    """The keys of the sessions on a list, in its order."""
    found = re.findall(r'class="ae-key">([^<]+)<', answer.content.decode())
    return [key.strip() for key in found]
