"""Asking a server: the one that runs on this home, or the one that was named."""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from django.conf import settings

from aegis_project.kit.errors import AegisError, ServiceUnavailable, ValidationFailed
from sessions.management import address
from sessions.management.address import Address

TIMEOUT_SECONDS = 30.0
PIECE_BYTES = 64 * 1024
PAGE = 200
NEAR = frozenset({"127.0.0.1", "::1", "localhost"})


# What a refusal of an envelope, which says no code, has beside it.
FAILURE = "Aegis-Error"
REQUEST_ID = "X-Request-ID"


class Answered(AegisError):
    """The server refused; ``request_id`` is how its log and its audit call what it was asked."""

    def __init__(self, said: dict[str, Any], status: int, request_id: str = "") -> None:
        super().__init__(str(said.get("message", "")), **dict(said.get("details") or {}))
        # What the server says of an error counts, not what this class would.
        self.code = str(said.get("code", "INTERNAL_ERROR"))  # type: ignore[misc]
        self.status = status  # type: ignore[misc]
        self.request_id = request_id


class Answer:
    """What a server answers, to be read as it comes: one that breaks off is not there any more."""

    def __init__(self, response: Any, gone: ServiceUnavailable) -> None:
        self._response = response
        self._gone = gone
        self.headers: Any = response.headers

    def read(self, size: int = -1) -> bytes:
        """The next so many bytes, or all that are left; none at its end."""
        with self._reading():
            found: bytes = self._response.read(size)
        return found

    def __iter__(self) -> Iterator[bytes]:
        while line := self._line():
            yield line

    def document(self) -> Any:
        """
        All of it, as JSON.

        :raises ServiceUnavailable: if it is none
        """
        with self._reading():
            return json.load(self._response)

    def _line(self) -> bytes:
        with self._reading():
            found: bytes = self._response.readline()
        return found

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, HTTPException):
            raise self._gone from None


class _Stay(HTTPRedirectHandler):
    """Follow nobody elsewhere: the secret is for this server."""

    def redirect_request(self, *_given: Any) -> None:
        """Leave it a refusal."""


class Client:
    """The canonical interface of a running server."""

    def __init__(self, at: Address, *, opener: OpenerDirector | None = None) -> None:
        self.at = at
        # No proxy has anything to do with what is on this machine.
        is_near = urlsplit(at.url).hostname in NEAR
        proxies = ProxyHandler({}) if is_near else ProxyHandler()
        self.opener = opener or build_opener(proxies, _Stay())

    def get(self, *parts: str, **query: Any) -> Any:
        """
        What a GET of an address beneath the canonical one answers.

        :raises AegisError: what the server refused
        :raises ServiceUnavailable: if it does not answer
        """
        with self.asked("GET", parts, query=query) as response:
            return response.document()

    def send(self, method: str, *parts: str, body: Mapping[str, Any] | None = None) -> Any:
        """
        What another method with a body answers; None for an answer without one.

        :raises AegisError: what the server refused
        :raises ServiceUnavailable: if it does not answer
        """
        with self.asked(method, parts, body=body or {}) as response:
            said = response.read()
        return json.loads(said) if said else None

    def put(self, *parts: str, content: bytes, first: int, size: int) -> Any:
        """
        What is answered to the piece of a file of ``size`` bytes that begins at byte ``first``.

        :raises AegisError: what the server refused
        :raises ServiceUnavailable: if it does not answer
        """
        place = {"Content-Range": f"bytes {first}-{first + len(content) - 1}/{size}"}
        with self.asked("PUT", parts, body=content, headers=place) as response:
            return response.document()

    def command(self, envelope: Mapping[str, Any]) -> tuple[Any, AegisError | None]:
        """
        What is answered to an envelope of seed 000, and the error that it tells of.

        :raises AegisError: what the server refused before it read the command
        :raises ServiceUnavailable: if it does not answer
        """
        with self.asked("POST", ["commands"], body=envelope, under="aegis") as response:
            answer, headers = response.document(), response.headers
        return answer, _told(answer, headers) if headers.get(FAILURE) else None

    def several(self, *parts: str, limit: int, **query: Any) -> tuple[list[Any], bool]:
        """
        The first so many things of a list, page by page, and whether there are more.

        :raises AegisError: what the server refused
        :raises ServiceUnavailable: if it does not answer
        """
        found: list[Any] = []
        asked = {name: value for name, value in query.items() if value not in ("", None)}
        while True:
            page = self.get(*parts, limit=min(PAGE, limit - len(found)), **asked)
            found += page["data"]
            if not page.get("next") or len(found) >= limit:
                return found, bool(page.get("next"))
            asked["cursor"] = page["next"]

    @contextlib.contextmanager
    def asked(
        self,
        method: str,
        parts: Sequence[str],
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | Iterable[bytes] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        under: str = "api/v1",
        timeout: float = TIMEOUT_SECONDS,
    ) -> Iterator[Answer]:
        """
        What is answered, to be read as it comes.

        :raises AegisError: what the server refused
        :raises ServiceUnavailable: if it does not answer, or breaks off
        """
        path = "/".join(quote(part, safe="") for part in parts)
        url = f"{self.at.url}/{under}/{path}?{urlencode(query or {})}".rstrip("?")
        is_said = body is None or isinstance(body, Mapping)
        kind = "application/json" if is_said else "application/octet-stream"
        said = {"Authorization": f"Bearer {self.at.token}", "Content-Type": kind}
        data = json.dumps(body).encode() if isinstance(body, Mapping) else body
        request = Request(url, data, {**said, **(headers or {})}, method=method)  # noqa: S310 -- its scheme was looked at
        gone = ServiceUnavailable(f"The server at {self.at.url} does not answer.")
        try:
            response = self.opener.open(request, timeout=timeout)
        except HTTPError as error:
            raise _refusal(error) from None
        except (URLError, OSError, ValueError, HTTPException):
            raise gone from None
        # What becomes of it here, such as a file that cannot be written, is not the server's doing.
        with response:
            yield Answer(response, gone)


_named: ContextVar[Client | None] = ContextVar("named", default=None)


def named() -> Client | None:
    """The server that this command was told to ask, if it was."""
    return _named.get()


@contextlib.contextmanager
def asking(url: str, token: str) -> Iterator[Client | None]:
    """
    Ask a server at an address meanwhile, by default the one of AEGIS_SERVER with AEGIS_TOKEN.

    :raises ValidationFailed: for what is no address of HTTP
    """
    url = (url or os.environ.get("AEGIS_SERVER", "")).rstrip("/")
    if url and urlsplit(url).scheme not in {"http", "https"}:
        raise ValidationFailed(f"{url} is no address such as https://aegis.example.")
    secret = token or os.environ.get("AEGIS_TOKEN", "")
    server = Client(Address(url=url, pid=0, token=secret)) if url else None
    kept = _named.set(server)
    try:
        yield server
    finally:
        _named.reset(kept)


def running() -> Client:
    """
    A client of the server that was named, else of the one that runs on this home.

    :raises ServiceUnavailable: if none does
    """
    if (server := named()) is not None:
        return server
    at = address.read(settings.ENVIRONMENT.home)
    if at is None:
        raise ServiceUnavailable("No server runs on this AEGIS_HOME, and only one knows topics.")
    return Client(at)


def request_of(error: AegisError) -> str:
    """The id of the request that a server refused; what was refused here is none."""
    return error.request_id if isinstance(error, Answered) else ""


def _refusal(error: HTTPError) -> AegisError:
    try:
        found = json.loads(error.read())
        if error.headers.get(FAILURE):
            return _told(found, error.headers)
        said = found["error"]
    except (ValueError, KeyError, TypeError):
        said = {"message": HTTPStatus(error.code).phrase}
    return Answered(said, error.code, error.headers.get(REQUEST_ID, ""))


def _told(answer: Mapping[str, Any], headers: Any) -> AegisError:
    code, _, status = headers[FAILURE].partition(" ")
    said = {"code": code, "message": answer["message"]}
    return Answered(said, int(status), headers.get(REQUEST_ID, ""))
