"""How requests, bodies and errors look over HTTP."""

import json
import logging
import re
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

import orjson
from asgiref.sync import iscoroutinefunction
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import sync_and_async_middleware
from django.views import csrf, defaults
from rest_framework import exceptions
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from aegis_project import instruments
from aegis_project.instruments import Span
from aegis_project.kit import errors, strict
from aegis_project.kit.errors import AegisError
from streaming import metrics

logger = logging.getLogger(__name__)

MAX_BODY = 2 * 1024 * 1024
# Addresses that files are brought to. What a session takes of one, it says itself; beyond that
# there is the form around it.
UPLOADS = (
    r"/api/v1/sessions/(?:[^/]+/(?:attachments|artifacts)|import)/?"
    r"|/admin/aegis_sessions/session/(?:[^/]+/artifacts|import)/"
)
MAX_UPLOAD = 101 * 1024 * 1024
RETRY_AFTER_SECONDS = 2
# Refused before anybody knew who asks, by the word that counts it.
REFUSALS = {
    "NOT_AUTHENTICATED": "credential",
    "PERMISSION_DENIED": "origin",
    "RATE_LIMITED": "rate",
    "PAYLOAD_TOO_LARGE": "size",
}
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUEST_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")

View = Callable[[HttpRequest], HttpResponse] | Callable[[HttpRequest], Awaitable[HttpResponse]]


@sync_and_async_middleware
def RequestIdMiddleware(get_response: Any) -> View:  # noqa: N802 -- Django names it like a class
    """Give each request an id, the client's own when it is well-formed, and say it in the answer."""
    if iscoroutinefunction(get_response):

        async def answer_later(request: HttpRequest) -> HttpResponse:
            began = _identify(request)
            with _watched(request) as span:
                return _say(request, await get_response(request), began, span)

        return answer_later

    def answer(request: HttpRequest) -> HttpResponse:
        began = _identify(request)
        with _watched(request) as span:
            return _say(request, get_response(request), began, span)

    return answer


def _identify(request: HttpRequest) -> float:
    given = request.headers.get("X-Request-ID", "")
    request.request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex  # type: ignore[attr-defined]
    instruments.begin(request_id=request.request_id)  # type: ignore[attr-defined]
    return time.perf_counter()


def _watched(request: HttpRequest) -> AbstractContextManager[Span]:
    """A span around a request, in the trace that its client names."""
    method = str(request.method)
    return instruments.span(
        method, kind="server", within=request.headers, http__request__method=method
    )


def _say(request: HttpRequest, response: HttpResponse, began: float, span: Span) -> HttpResponse:
    method = request.method if request.method in METHODS else "OTHER"
    found = request.resolver_match
    route = found.route if found is not None else "none"
    span.name(f"{method} {route}")
    span.add(http__route=route, http__response__status_code=response.status_code)
    metrics.requests.labels(route, method, response.status_code).inc()
    metrics.request_time.labels(method).observe(time.perf_counter() - began)
    response.headers.setdefault("X-Request-ID", request.request_id)  # type: ignore[attr-defined]
    return response


class StrictJSONParser(BaseParser):
    """JSON bodies, decoded once and strictly; an empty body is an empty object."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        raw = stream.read()
        return strict.decode(raw, max_bytes=MAX_BODY) if raw.strip() else {}


class CompactJSONRenderer(JSONRenderer):
    """JSON bodies without spaces."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        # The browsable pages ask for indented text through the same class.
        indent = self.get_indent(accepted_media_type or "", dict(renderer_context or {}))
        option = orjson.OPT_UTC_Z | (orjson.OPT_INDENT_2 if indent else 0)
        try:
            return orjson.dumps(data, default=str, option=option)
        except orjson.JSONEncodeError:
            # PostgreSQL gives a large number back as an integer, here beyond 64 bits.
            return json.dumps(data, default=str).encode()


def render_error(error: Exception, context: Mapping[str, Any]) -> Response:
    """Any failure of a view as the canonical body; what was not anticipated is logged."""
    request = context.get("request")
    found = known(error)
    if found is None:
        logger.error("A request failed", exc_info=error, extra={"action": "request_failed"})
        found = errors.InternalError()
    elif isinstance(found, errors.DatabaseUnavailable):
        # Away, full or in a deadlock: the answer says no more than that it could not be used.
        logger.warning("The database failed: %s", error, extra={"action": "database_failed"})
    _count(found, request)
    headers: dict[str, str] = {}
    if found.status == errors.NotAuthenticated.status:
        headers["WWW-Authenticate"] = 'Bearer realm="aegis"'
    if found.status == errors.ServiceUnavailable.status:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if found.status == errors.RateLimited.status and "retry_after" in found.details:
        headers["Retry-After"] = str(found.details["retry_after"])
    return Response(body(found, request_id(request)), status=found.status, headers=headers)


def _count(error: AegisError, request: Any) -> None:
    # Asking the request itself who asks would look for the credential again.
    is_known = getattr(request, "__dict__", {}).get("_auth") is not None
    if error.code in REFUSALS and not (is_known and error.code == "PERMISSION_DENIED"):
        metrics.refusals.labels("rest", REFUSALS[error.code]).inc()


def request_id(request: Any) -> str:
    """The id of a request of Django or DRF; empty where there is none."""
    return str(getattr(request, "request_id", ""))


def body(error: AegisError, request_id: str) -> dict[str, Any]:
    """The canonical body of an error."""
    return {"error": {**error.as_dict(), "request_id": request_id}}


def known(error: Exception) -> AegisError | None:
    """The error of the catalogue that this one stands for, or None when it was not anticipated."""
    if isinstance(error, AegisError):
        return error
    if isinstance(error, OperationalError | InterfaceError):
        return errors.DatabaseUnavailable()
    if isinstance(error, Http404 | exceptions.NotFound):
        return errors.NotFound()
    if isinstance(error, DjangoPermissionDenied):
        return errors.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        return _of_drf(error)
    return None


def _of_drf(error: exceptions.APIException) -> AegisError:
    if isinstance(error, exceptions.ValidationError):
        return errors.ValidationFailed("The request is not valid.", fields=error.get_full_details())
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return errors.NotAuthenticated(str(error.detail))
    if isinstance(error, exceptions.PermissionDenied):
        return errors.PermissionDenied(str(error.detail))
    known_kinds: dict[int, type[AegisError]] = {
        405: errors.MethodNotAllowed,
        406: errors.NotAcceptable,
        415: errors.UnsupportedMediaType,
    }
    kind = known_kinds.get(error.status_code, errors.ValidationFailed)
    return kind(str(error.detail))


def failed(request: HttpRequest, *_: Any) -> HttpResponse:
    """
    Answer what nobody caught: a page for a browser, else our body; never a traceback.

    A database that is away is a 503 that says when to come back, also where no view was reached.
    """
    error = sys.exception()
    found = known(error) if isinstance(error, Exception) else None
    if not isinstance(found, errors.DatabaseUnavailable):
        found = errors.InternalError()
    answer: HttpResponse = (
        defaults.server_error(request)
        if wants_page(request)
        else JsonResponse(body(found, request_id(request)))
    )
    answer.status_code = found.status
    if found.temporary:
        answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address that leads nowhere: a page for a browser, else our body."""
    if wants_page(request):
        return defaults.page_not_found(request, exception)
    return JsonResponse(body(errors.NotFound(), request_id(request)), status=404)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer what came without the token of its page: a page for a browser, else our body."""
    if wants_page(request):
        return csrf.csrf_failure(request, reason)
    error = errors.PermissionDenied("Sign in, or send a credential: Authorization: Bearer aeg_….")
    return JsonResponse(body(error, request_id(request)), status=403)


def malformed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself refuses to look at, a Host that is not ours among it."""
    if wants_page(request):
        return defaults.bad_request(request, exception)
    error = errors.ValidationFailed("The request cannot be served as it is.")
    return JsonResponse(body(error, request_id(request)), status=400)


def wants_page(request: HttpRequest) -> bool:
    """Whether a person's browser asks, and not a program."""
    return "text/html" in request.headers.get("Accept", "")
