"""Middleware of Django's that only people need, gone around by programs; and the content policy."""

from dataclasses import asdict
from functools import cached_property
from typing import Any

from csp.constants import HEADER, NONE, SELF, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware  # noqa: TID251 -- Django's
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

ADMIN = "/admin/"
# Documents are no pages: whatever a browser makes of one, it may load nothing.
DOCUMENT: dict[str, Any] = {"default-src": [NONE], "frame-ancestors": [NONE]}
# The pages of the API run their scripts from files; their libraries style elements themselves.
API_PAGE: dict[str, Any] = {"script-src": [SELF], "style-src": [SELF, UNSAFE_INLINE]}


class ForPeople(MiddlewareMixin):
    """
    Nothing for a program, which shows its credential with each request.

    Whoever shows one outside of the admin is who that says, whatever cookies come with it.
    """

    def __call__(self, request: HttpRequest) -> Any:
        if is_program(request):
            return self.get_response(request)
        return super().__call__(request)


def is_program(request: HttpRequest) -> bool:
    """Whether a request shows a bearer credential where one counts."""
    shown: str = request.META.get("HTTP_AUTHORIZATION", "")
    return shown[:7].lower() == "bearer " and not request.path_info.startswith(ADMIN)


class Sessions(ForPeople, SessionMiddleware):
    """Django's sessions, of people who signed in."""


class Users(ForPeople, AuthenticationMiddleware):
    """Who signed in."""


class Messages(ForPeople, MessageMiddleware):
    """What the admin says on the next page."""


class ContentPolicy(CSPMiddleware):
    """
    The narrowest policy under which an answer works, unless it has one of its own.

    The admin has that of the settings, other pages the scripts of their files, documents nothing.
    """

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        is_own = any(name.startswith("_csp_") for name in vars(response))
        if is_own or getattr(request, "_csp_nonce", None) is not None:
            return super().process_response(request, response)
        if request.path_info.startswith(ADMIN):
            text = self._of_admin
        elif response.get("Content-Type", "").startswith("text/html"):
            text = self._of_pages
        else:
            text = self._of_documents
        response.headers.setdefault(HEADER, text)
        return response

    @cached_property
    def _of_admin(self) -> str:
        return _policy(self._parts())

    @cached_property
    def _of_pages(self) -> str:
        parts = self._parts()
        parts.replace = API_PAGE
        return _policy(parts)

    @cached_property
    def _of_documents(self) -> str:
        parts = self._parts()
        parts.config = DOCUMENT
        return _policy(parts)

    def _parts(self) -> PolicyParts:
        found: PolicyParts = self.get_policy_parts(request=HttpRequest(), response=HttpResponse())
        return found


def _policy(parts: PolicyParts) -> str:
    return str(build_policy(**asdict(parts)))
