"""A server that was named, which is this process."""

import asyncio
import io
from email.message import Message
from typing import Any
from urllib.error import URLError
from urllib.request import BaseHandler, OpenerDirector, Request
from urllib.response import addinfourl

from django.test import Client as Browser

URL = "https://aegis.example"
# Whether the server is away when the next pieces or capsules come, the last first.
AWAY: list[bool] = []


class Here(BaseHandler):
    """Whatever is asked of any server is answered by this process."""

    def https_open(self, request: Request) -> Any:
        brings = request.get_method() == "PUT" or "/import" in request.selector
        if brings and AWAY and AWAY.pop():
            raise URLError("It is away.")
        wanted = {
            "Authorization": "Authorization",
            "Content-Range": "Content-range",
            "Accept": "Accept",
            "Idempotency-Key": "Idempotency-key",
        }
        said = {name: request.get_header(kept) for name, kept in wanted.items()}
        answer = Browser(raise_request_exception=False).generic(
            request.get_method(),
            request.selector,
            _whole(request.data),
            content_type=str(request.get_header("Content-type")),
            headers={name: value for name, value in said.items() if value},
        )
        headers = Message()
        for name, value in answer.headers.items():
            headers[name] = value
        content = asyncio.run(_streamed(answer)) if answer.streaming else answer.content
        told = addinfourl(io.BytesIO(content), headers, request.full_url, answer.status_code)
        told.msg = answer.reason_phrase  # type: ignore[attr-defined]  # urllib's own way
        return told


def _whole(body: Any) -> bytes:
    return body if isinstance(body, bytes) else b"".join(body or ())


async def _streamed(answer: Any) -> bytes:
    return b"".join([piece async for piece in answer.streaming_content])


def opener(*given: BaseHandler) -> OpenerDirector:
    """What urllib would use, but for who answers."""
    from urllib.request import HTTPDefaultErrorHandler, HTTPErrorProcessor  # noqa: PLC0415

    made = OpenerDirector()
    for one in (*given, Here(), HTTPErrorProcessor(), HTTPDefaultErrorHandler()):
        made.add_handler(one)
    return made
