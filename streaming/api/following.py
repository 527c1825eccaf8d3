"""POSTs that take long: how far they are as lines of JSON, the last of which is their answer."""

import asyncio
import contextvars
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar, cast

import orjson
from django.db import connection
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.response import Response

from aegis_project.kit.progress import Progress, Seldom, silent
from streaming.api.base import RENDERER, Endpoint
from streaming.api.browsable import Pages
from streaming.api.sse import Refusing, let_go_of_database

LINES = "application/x-ndjson"
HEADERS = {
    "Content-Type": LINES,
    "Cache-Control": "no-cache, no-transform",
    # Proxies of the kind of nginx would collect it otherwise.
    "X-Accel-Buffering": "no",
}
# So often somebody hears how far it is, and when nothing happens, that it still goes on.
TELL_SECONDS, BEAT_SECONDS = 0.25, 5.0
WAITING = b'{"stage":"waiting","done":0,"total":0}\n'

_working = ThreadPoolExecutor(2, thread_name_prefix="aegis-followed")

F = TypeVar("F", bound=Callable[..., Response])


class ProgressLines(Refusing):
    """Chosen by ``Accept: application/x-ndjson``."""

    media_type = LINES
    format = "ndjson"


class Following(Endpoint):
    """An address whose POST tells ``progress`` how far it is."""

    renderer_classes = [RENDERER, Pages, ProgressLines]
    progress: Progress = staticmethod(silent)

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        response.content_type = "application/json"
        return response


def followed(method: F) -> F:
    """
    Let a POST answer lines to who asks for them.

    It is carried out to its end whoever still listens, and kept by its idempotency key as if it
    had answered in one piece.
    """

    @wraps(method)
    def post(view: Following, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not isinstance(view.request.accepted_renderer, ProgressLines):
            return method(view, *args, **kwargs)
        let_go_of_database()
        lines = _lines(view, lambda: method(view, *args, **kwargs))
        return StreamingHttpResponse(lines, headers=HEADERS)

    return cast(F, post)


async def _lines(view: Following, act: Callable[[], Response]) -> AsyncGenerator[bytes, None]:
    loop = asyncio.get_running_loop()
    told: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()

    def tell(line: bytes, *, is_last: bool = False) -> None:
        # Without a loop there is nobody left who listens.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(told.put_nowait, (line, is_last))

    def hears(stage: str, done: int, total: int) -> None:
        tell(orjson.dumps({"stage": stage, "done": done, "total": total}) + b"\n")

    view.progress = Seldom(hears, seconds=TELL_SECONDS, clock=time.monotonic)
    within = contextvars.copy_context().run
    _working.submit(within, lambda: tell(_last(view, act), is_last=True))
    line, is_last = WAITING, False
    while not is_last:
        # What was said last is said again when nothing is new.
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT_SECONDS):
                line, is_last = await told.get()
        yield line


def _last(view: Following, act: Callable[[], Response]) -> bytes:
    try:
        response = act()
    except Exception as error:  # noqa: BLE001 -- the client is told, and the handler logs it
        response = view.handle_exception(error)
    finally:
        connection.close()
    said: dict[str, Any] = {"status": response.status_code}
    said |= response.data if response.status_code >= 400 else {"data": response.data}
    if response.has_header("Idempotent-Replayed"):
        said["replayed"] = True
    written: Any = RENDERER().render(said)
    return bytes(written) + b"\n"
