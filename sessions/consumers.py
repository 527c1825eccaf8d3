"""The live socket of the admin: all subscriptions of one page."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import orjson
from channels.consumer import AsyncConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.http import parse_cookie

from aegis_project.database import read_db
from aegis_project.kit.errors import AegisError, InternalError, NotAuthenticated
from aegis_project.kit.principal import Principal
from aegis_project.kit.ratelimit import Bucket
from components import auth
from sessions.admin import frames
from sessions.admin.feeds import Feed
from streaming import hints, metrics
from streaming.core.errors import CloseCode, OverCapacity, close_code
from streaming.hints import Hint

logger = logging.getLogger(__name__)

BEAT_SECONDS = 2.0
# Who signs out, or loses a right, loses the socket within this time.
RECHECK_SECONDS = 4.0
BURST_SECONDS = 2.0


class Subscription:
    """A feed that takes its turns beside others on one socket."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.woken = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    async def run(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        """Turn after turn, until the socket closes or the feed is refused."""
        while True:
            self.woken.clear()
            for frame in await self.feed.turn():
                await send(frame)
            await asyncio.sleep(self.feed.spacing_seconds)
            try:
                async with asyncio.timeout(self.feed.period_seconds):
                    await self.woken.wait()
            except TimeoutError:
                continue


class LiveConsumer(AsyncConsumer):
    """
    One page's socket.

    Who is asking is known from the cookie, and that the page is ours from its Origin, before
    anything is accepted. There is at most one subscription of each type, and two tails; a newer
    one replaces the older of its name.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection; no channel layer and no dispatch take part."""
        self._send = send
        self._lock = asyncio.Lock()
        self._is_closed = False
        self._subscriptions: dict[str, Subscription] = {}
        self._headers = auth.headers_of(scope)
        self._loop = asyncio.get_running_loop()
        per_second = settings.ENVIRONMENT.control_frames_per_second
        self._bucket = Bucket(per_second=per_second, burst_seconds=BURST_SECONDS)
        await receive()
        principal = await self._admit(scope)
        if principal is None:
            await send({"type": "websocket.close"})
            return
        self.principal = principal
        await send({"type": "websocket.accept"})
        try:
            with auth.room_for(principal):
                await self._serve(receive)
        except OverCapacity as error:
            await self._refuse(error)
            await self._close(CloseCode.CAPACITY)

    async def _admit(self, scope: Any) -> Principal | None:
        if not is_own_page(self._headers, scheme=scope.get("scheme", "ws")):
            metrics.refusals.labels("live", "origin").inc()
            return None
        try:
            return await read_db(signed_in, self._headers.get("cookie", ""))
        except NotAuthenticated:
            metrics.count_close("live", CloseCode.BAD_TOKEN)
            return None

    async def _serve(self, receive: Any) -> None:
        hints.listen(self._hear)
        beat = asyncio.create_task(self._beat())
        try:
            while not self._is_closed:
                event = await receive()
                if event["type"] == "websocket.disconnect":
                    return
                if not self._bucket.take(self._loop.time()):
                    await self._close(CloseCode.RATE_LIMITED)
                    return
                await self._take(event.get("text") or event.get("bytes") or b"")
        finally:
            hints.unlisten(self._hear)
            await self._leave(beat)

    async def _leave(self, beat: asyncio.Task[None]) -> None:
        self._is_closed = True
        tasks = [beat, *(one.task for one in self._subscriptions.values() if one.task)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, raw: str | bytes) -> None:
        try:
            frame = frames.decode(raw)
            name = frames.name(frame)
            if frame["type"] == "untail":
                self._drop(name)
            else:
                self._subscribe(name, frames.feed(self.principal, frame))
        except AegisError as error:
            await self._refuse(error)
            await self._close(close_code(error))

    def _subscribe(self, name: str, feed: Feed) -> None:
        self._drop(name)
        subscription = self._subscriptions[name] = Subscription(feed)
        subscription.task = asyncio.create_task(self._run(name, subscription))

    def _drop(self, name: str) -> None:
        older = self._subscriptions.pop(name, None)
        if older is not None and older.task is not None:
            older.task.cancel()

    async def _run(self, name: str, subscription: Subscription) -> None:
        try:
            await subscription.run(self._reply)
        except AegisError as error:
            # One refused subscription says so; the rest of the page goes on.
            await self._refuse(error)
        except Exception:  # whatever it was, the page is told and we see it
            logger.exception("A live feed failed", extra={"action": "live_failed", "feed": name})
            await self._refuse(InternalError())
            await self._close(CloseCode.INTERNAL)

    async def _beat(self) -> None:
        await self._reply({"type": "hello", "beat_seconds": BEAT_SECONDS})
        checked_at = self._loop.time()
        while not self._is_closed:
            await asyncio.sleep(BEAT_SECONDS)
            if self._loop.time() - checked_at >= RECHECK_SECONDS:
                checked_at = self._loop.time()
                await self._recheck()
            await self._reply({"type": "beat"})

    async def _recheck(self) -> None:
        try:
            now = await read_db(signed_in, self._headers.get("cookie", ""))
        except NotAuthenticated as error:
            await self._refuse(error)
            await self._close(CloseCode.BAD_TOKEN)
            return
        if now != self.principal:
            # With other rights the page must ask for everything again.
            await self._close(CloseCode.DRAINING)

    def _hear(self, hint: Hint) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._spread, hint)

    def _spread(self, hint: Hint) -> None:
        for subscription in self._subscriptions.values():
            if subscription.feed.wants(hint):
                subscription.woken.set()

    async def _refuse(self, error: AegisError) -> None:
        await self._reply({"type": "error", "error": error.as_dict()})

    async def _reply(self, frame: dict[str, Any]) -> None:
        async with self._lock:
            if not self._is_closed:
                text = orjson.dumps({**frame, "now": round(time.time() * 1000)}).decode()
                await self._send({"type": "websocket.send", "text": text})

    async def _close(self, code: CloseCode) -> None:
        async with self._lock:
            if not self._is_closed:
                self._is_closed = True
                metrics.count_close("live", code)
                await self._send({"type": "websocket.close", "code": int(code)})


def is_own_page(headers: dict[str, str], *, scheme: str) -> bool:
    """Whether the Origin is exactly this server's: scheme, host and port."""
    origin = headers.get("origin", "").lower()
    own = f"{'https' if scheme == 'wss' else 'http'}://{headers.get('host', '').lower()}"
    public = urlsplit(settings.ENVIRONMENT.public_url.lower())
    return bool(origin) and origin in {own, f"{public.scheme}://{public.netloc}"}


def signed_in(cookie: str) -> Principal:
    """
    The person whose browser sends this cookie, if they may use the admin.

    :raises NotAuthenticated: if nobody is signed in, or may not
    """
    key = parse_cookie(cookie).get(settings.SESSION_COOKIE_NAME)
    store = import_module(settings.SESSION_ENGINE).SessionStore(key)
    request: Any = SimpleNamespace(session=store)
    user: Any = get_user(request)
    if not (user.is_authenticated and user.is_active and user.is_staff):
        raise NotAuthenticated
    return auth.of_user(user, transport="live")
