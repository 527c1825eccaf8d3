"""Asking the server over HTTP, with the credential of the demo."""

import json
import os
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener
from uuid import uuid4

TIMEOUT_SECONDS = 20.0
JSON = "application/json"


class Refused(Exception):
    """The server refused; ``status`` is that of its answer."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status}: {said[:500]}")
        self.status = status


class Rest:
    """The interface of the server at ``AEGIS_URL``, for whoever has ``AEGIS_TOKEN``."""

    def __init__(self) -> None:
        self.url = os.environ["AEGIS_URL"]
        self.token = os.environ["AEGIS_TOKEN"]
        # It is on this machine; no proxy has anything to do with it.
        self._opener = build_opener(ProxyHandler({}))

    def ask(self, method: str, *parts: str, body: Any = None, query: str = "") -> Any:
        """
        What the server answers to JSON; None where it says nothing.

        :raises Refused: if it refuses
        :raises OSError: if it does not answer
        """
        data = None if body is None else json.dumps(body).encode()
        return self._send(method, parts, query, data, JSON)

    def write_file(self, session: str, name: str, content: bytes) -> None:
        """
        Write an artifact of a session; a name that is there gets a new version.

        :raises Refused: if the server refuses
        :raises OSError: if it does not answer
        """
        mark = uuid4().hex
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        form = head.encode() + content + f"\r\n--{mark}--\r\n".encode()
        kind = f"multipart/form-data; boundary={mark}"
        self._send("POST", ("sessions", session, "artifacts"), "", form, kind)

    def _send(
        self, method: str, parts: tuple[str, ...], query: str, data: bytes | None, kind: str
    ) -> Any:
        path = "/".join(quote(part, safe="") for part in parts)
        url = f"{self.url}/api/v1/{path}{query and '?' + query}"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        request = Request(url, data=data, headers=headers, method=method)  # noqa: S310 -- the server of the demo
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                said = response.read()
        except HTTPError as error:
            raise Refused(error.code, error.read().decode(errors="replace")) from None
        return json.loads(said) if said else None


def is_gone(refusal: Refused) -> bool:
    """Whether what was asked for is not there, or not any more."""
    return refusal.status == HTTPStatus.NOT_FOUND
