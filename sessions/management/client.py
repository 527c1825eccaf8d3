"""Asking the server that runs on this home for what only it knows."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from django.conf import settings

from aegis_project.kit.errors import AegisError, ServiceUnavailable
from sessions.management import address
from sessions.management.address import Address

TIMEOUT_SECONDS = 30.0
PIECE_BYTES = 64 * 1024


class Answered(AegisError):
    """The server refused."""

    def __init__(self, said: dict[str, Any], status: int) -> None:
        super().__init__(str(said.get("message", "")), **dict(said.get("details") or {}))
        # What the server says of an error counts, not what this class would.
        self.code = str(said.get("code", "INTERNAL_ERROR"))  # type: ignore[misc]
        self.status = status  # type: ignore[misc]


class Client:
    """The canonical interface of a running server."""

    def __init__(self, at: Address) -> None:
        self.at = at
        # It is on this machine; no proxy has anything to do with it.
        self.opener: OpenerDirector = build_opener(ProxyHandler({}))

    def get(self, *parts: str, **query: Any) -> Any:
        """
        What a GET of an address beneath the canonical one answers.

        :raises AegisError: what the server refused
        :raises ServiceUnavailable: if it does not answer
        """
        with self._asked(parts, query) as response:
            return json.load(response)

    def stream(self, *parts: str, **query: Any) -> Iterator[bytes]:
        """
        What a GET answers, piece by piece.

        :raises AegisError: what the server refused
        :raises ServiceUnavailable: if it does not answer, or breaks off
        """
        with self._asked(parts, query) as response:
            while piece := response.read(PIECE_BYTES):
                yield piece

    @contextlib.contextmanager
    def _asked(self, parts: Sequence[str], query: Mapping[str, Any]) -> Iterator[Any]:
        path = "/".join(quote(part, safe="") for part in parts)
        url = f"{self.at.url}/api/v1/{path}?{urlencode(query)}"
        request = Request(url, headers={"Authorization": f"Bearer {self.at.token}"})  # noqa: S310 -- the address file says where
        try:
            with self.opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                yield response
        except HTTPError as error:
            raise _refusal(error) from None
        except (URLError, OSError, ValueError, HTTPException):
            raise ServiceUnavailable(f"The server at {self.at.url} does not answer.") from None


def running() -> Client:
    """
    A client of the server that runs on this home.

    :raises ServiceUnavailable: if none does
    """
    at = address.read(settings.ENVIRONMENT.home)
    if at is None:
        raise ServiceUnavailable("No server runs on this AEGIS_HOME, and only one knows topics.")
    return Client(at)


def _refusal(error: HTTPError) -> AegisError:
    try:
        said = json.loads(error.read())["error"]
    except (ValueError, KeyError, TypeError):
        said = {"message": HTTPStatus(error.code).phrase}
    return Answered(said, error.code)
