"""What every view of the canonical interface does the same way."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ClassVar, TypeVar, cast

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from django.http.request import RawPostDataException
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from aegis_project import instruments
from aegis_project.kit import strict
from aegis_project.kit.errors import AegisError, PayloadTooLarge, ValidationFailed
from aegis_project.kit.principal import Principal
from streaming.api import codecs
from streaming.api.browsable import Pages
from streaming.services import commands, idempotency
from streaming.services.idempotency import Answer

MAX_BODY = 2 * 1024 * 1024
JSON_TYPES = frozenset({"", "application/json"})
KEPT_HEADERS = frozenset({"ETag", "Location"})

# Settings hold names; by now they are classes.
RENDERER = cast(type[BaseRenderer], api_settings.DEFAULT_RENDERER_CLASSES[0])

S = TypeVar("S", bound=msgspec.Struct)
F = TypeVar("F", bound=Callable[..., Response])


class Endpoint(APIView):
    """A view that knows who asks, reads strictly, and answers documents."""

    renderer_classes = [RENDERER, Pages]
    # Bodies to begin with in a browser, by method.
    examples: ClassVar[Mapping[str, Any]] = {}
    # The words of the dialects for a state: a head, and a row for each.
    words: ClassVar[Sequence[Sequence[str]]] = ()
    # Parameters of the address that something else than `asked` reads, such as a filter.
    other_parameters: ClassVar[frozenset[str]] = frozenset()
    # Who asks, once they were let through.
    who: Any = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Before anybody looks for a CSRF token in it: it can be read from the client once.
        self.raw()
        super().initial(request, *args, **kwargs)
        self.who = request.auth
        if isinstance(request.auth, Principal):
            instruments.note(principal=request.auth.actor, session=kwargs.get("session", ""))
        # No row has such a name, and PostgreSQL does not even take the question.
        if any("\x00" in value for value in kwargs.values()):
            raise Http404

    def handle_exception(self, exc: Exception) -> Response:
        self.note(exc)
        return super().handle_exception(exc)

    def note(self, exc: Exception) -> None:
        """Leave an audit entry for who was kept from changing something before a command saw it."""
        method = str(self.request.method)
        is_known = isinstance(self.who, Principal)
        if is_known and isinstance(exc, AegisError) and method not in SAFE_METHODS:
            verb = getattr(self, method.lower(), None)
            commands.kept_out(
                exc,
                command=getattr(verb, "operation", "") or f"{method} {self.address}",
                principal=self.principal,
                target="/".join(map(str, self.kwargs.values())),
            )

    @property
    def address(self) -> str:
        """What the address is called among addresses."""
        found = self.request.resolver_match
        return found.view_name if found else ""

    def verbs(self, _data: Any) -> list[tuple[str, str]]:
        """Buttons for a browser that shows this data: words and addresses to post to."""
        return []

    @property
    def principal(self) -> Principal:
        """Who asks; the permission classes let nobody else through."""
        found = self.request.auth
        assert isinstance(found, Principal)  # noqa: S101 -- see above
        return found.via(
            found.transport,
            request_id=getattr(self.request, "request_id", ""),
            idempotency_key=self.request.headers.get("Idempotency-Key", ""),
        )

    def raw(self) -> bytes:
        """
        The body as it came, also of a request that does not say its length.

        :raises PayloadTooLarge: above 2 MiB
        :raises ValidationFailed: if it came as parts of a form
        """
        try:
            found: bytes = self.request._request.body
        except RequestDataTooBig:
            raise PayloadTooLarge(max_bytes=MAX_BODY) from None
        except RawPostDataException:
            raise ValidationFailed("The body must be JSON.") from None
        return found

    def body(self) -> Any:
        """
        The decoded body; nothing at all counts as an empty object.

        :raises ValidationFailed: for what is not JSON
        """
        kind = (self.request.content_type or "").partition(";")[0].strip().lower()
        raw = self.raw()
        if kind not in JSON_TYPES and raw:
            raise UnsupportedMediaType(kind)
        return strict.decode(raw, max_bytes=MAX_BODY) if raw.strip() else {}

    def ordered(self, kind: type[S]) -> S:
        """
        The body as ``kind``.

        :raises ValidationFailed: if it is not one
        """
        return codecs.read(self.body(), kind)

    def asked(self, kind: type[S]) -> S:
        """
        The parameters of the address as ``kind``.

        :raises ValidationFailed: if they are none, or there are more
        """
        query = self.request.query_params.dict()
        return codecs.read_query(query, kind, others=self.other_parameters)


class ByParameter(BaseContentNegotiation):
    """The address says what the file is; an Accept header need not."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


Keep = Callable[..., tuple[Answer, bool]]


def once(method: F) -> F:
    """Carry a POST with an idempotency key out in one transaction with the keeping of its answer."""

    @wraps(method)
    def post(view: Endpoint, *args: Any, **kwargs: Any) -> Response:
        return _post(view, idempotency.once, lambda: method(view, *args, **kwargs))

    post.keeps_answers = True  # type: ignore[attr-defined]  # what the tests look for
    return cast(F, post)


def alone(method: F) -> F:
    """The same for a POST that waits for others, and so cannot be inside a transaction."""

    @wraps(method)
    def post(view: Endpoint, *args: Any, **kwargs: Any) -> Response:
        return _post(view, idempotency.alone, lambda: method(view, *args, **kwargs))

    post.keeps_answers = True  # type: ignore[attr-defined]  # what the tests look for
    return cast(F, post)


def _post(view: Endpoint, keep: Keep, act: Callable[[], Response]) -> Response:
    principal = view.principal
    if not principal.idempotency_key:
        return act()
    answer, is_replay = keep(
        principal=principal, digest=_digest(view), act=lambda: _answer(view, act)
    )
    response = Response(answer.data, status=answer.status, headers=answer.headers)
    if is_replay:
        response["Idempotent-Replayed"] = "true"
    return response


def _digest(view: Endpoint) -> str:
    request = view.request
    address = request.get_full_path().encode()
    return idempotency.digest_of(str(request.method).encode(), address, view.raw())


def _answer(view: Endpoint, act: Callable[[], Response]) -> Answer:
    try:
        response = act()
    except AegisError as error:
        response = view.handle_exception(error)
    headers = {name: value for name, value in response.headers.items() if name in KEPT_HEADERS}
    return Answer(response.status_code, response.data, headers)
