"""Requests through Django's middleware, in one thread and in one go."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import AsyncToSync, ThreadSensitiveContext
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_started
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.urls import set_script_prefix
from servestatic.middleware import ServeStaticMiddleware

from aegis_project.lanes import Lanes

Respond = Callable[[HttpRequest], HttpResponseBase]


class Handler(ASGIHandler):
    """
    Django's own, whose middleware below the first that is async by itself runs with its view.

    Left alone, Django goes into a thread and back for each half of each middleware and for each
    signal, and makes that thread for the request: it costs more than most views. What serves
    files stays on the loop.
    """

    def __init__(self) -> None:
        self.lanes = Lanes()
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002 -- Django's
        super().load_middleware(is_async=False)
        top: Any = self._middleware_chain  # type: ignore[has-type]
        if isinstance(top, AsyncToSync):
            top = top.awaitable
        else:
            top = self.adapt_method_mode(is_async=True, method=top, method_is_async=False)
        self._middleware_chain = top

    def adapt_method_mode(
        self,
        is_async: bool,  # noqa: FBT001 -- Django's
        method: Any,
        method_is_async: bool | None = None,  # noqa: FBT001 -- Django's
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """What Django does, but for the one place where a request leaves the loop."""
        if is_async and method_is_async is False:
            return self._in_a_lane(method)
        return super().adapt_method_mode(is_async, method, method_is_async, *args, **kwargs)

    def _in_a_lane(self, respond: Respond) -> Callable[[HttpRequest], Awaitable[HttpResponseBase]]:
        async def go(request: HttpRequest) -> HttpResponseBase:
            return await self.lanes.run(self._carry_out, respond, request)

        return go

    def _carry_out(self, respond: Respond, request: HttpRequest) -> HttpResponseBase:
        """All of a request that may block, between the signals that say so."""
        set_script_prefix(request.META["SCRIPT_NAME"])
        request_started.send(sender=type(self), scope=getattr(request, "scope", None))
        response = respond(request)
        if response.streaming:
            # Its end is told when it has come; this thread is somebody else's by then.
            close_old_connections()
        else:
            response.close()
        return response

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        request, refusal = self.create_request(scope, body)
        try:
            response: Any = refusal
            if request is not None:
                response = await self.run_get_response(request)
            if response.streaming:
                await self._stream(response, receive, send)
            else:
                await self.send_response(response, send)
        finally:
            (body if request is None else request).close()

    async def _stream(self, response: Any, receive: Any, send: Any) -> None:
        """Send as long as there is something, or until the client is gone."""
        async with ThreadSensitiveContext():
            sending = asyncio.create_task(self.send_response(response, send))
            leaving = asyncio.create_task(self.listen_for_disconnect(receive))
            try:
                await asyncio.wait([sending, leaving], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (sending, leaving):
                    task.cancel()
                ends = await asyncio.gather(sending, leaving, return_exceptions=True)
                await self.lanes.run(response.close)
        if isinstance(ends[0], Exception):
            raise ends[0]


class Files(ServeStaticMiddleware):  # type: ignore[misc]  # untyped
    """
    Static files, served on the loop; everything else goes on into a lane.

    Django's SecurityMiddleware stands below, where it needs no thread of its own for each half of
    its work; what it says of a file is asked here.
    """

    def __init__(self, get_response: Any = None) -> None:
        super().__init__(get_response)
        self.security = SecurityMiddleware(get_response)

    async def __call__(self, request: HttpRequest) -> Any:
        found = self.files.get(request.path_info)
        if found is None:
            return await self.get_response(request)
        moved: Any = self.security.process_request(request)
        if moved is not None:
            return moved
        return self.security.process_response(request, await self.aserve(found, request))
