"""Requests through Django's middleware, in one thread and in one go."""

from typing import Any

from asgiref.sync import AsyncToSync
from django.core.handlers.asgi import ASGIHandler


class Handler(ASGIHandler):
    """
    Django's own, whose middleware below the first that is async by itself runs with its view.

    Left alone, Django goes into a thread and back for each half of each middleware: nineteen times
    for a request, which costs more than most views. What serves files stays on the loop.
    """

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002 -- Django's
        super().load_middleware(is_async=False)
        top: Any = self._middleware_chain  # type: ignore[has-type]
        if isinstance(top, AsyncToSync):
            top = top.awaitable
        else:
            top = self.adapt_method_mode(is_async=True, method=top, method_is_async=False)
        self._middleware_chain = top
