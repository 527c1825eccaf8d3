"""The socket of a session: its ledger as it is written, and the frames of seed 004."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import msgspec
import orjson
from channels.consumer import AsyncConsumer
from django.conf import settings

from aegis_project.database import read_db, run_db
from aegis_project.kit.errors import AegisError, InternalError, NotAuthenticated, RateLimited
from aegis_project.kit.principal import Principal
from aegis_project.kit.ratelimit import Bucket
from components import auth
from sessions.core.errors import SessionNotFound
from sessions.core.events import SessionEvent
from sessions.dialects import door, session_acts, session_door, session_frames, session_updates
from sessions.dialects.outlet import Outlet
from sessions.dialects.session_door import Visit
from sessions.dialects.session_frames import AnyFrame, Authenticate, Heartbeat
from streaming import node as nodes
from streaming.api import codecs, topic_documents
from streaming.core import position
from streaming.core.errors import CloseCode, HelloMissing, close_code
from streaming.core.position import Position
from streaming.core.topics import LEDGER
from streaming.hub import following
from streaming.hub.following import Turn

logger = logging.getLogger(__name__)

FIRST_FRAME_SECONDS = 10.0
BEAT_SECONDS = 15.0
# Who may not be here any more is sent away within this time.
CHECK_SECONDS = 4.0
BURST_SECONDS = 2.0


class Head(msgspec.Struct):
    """What an event of a ledger begins with."""

    type: str


read_head = msgspec.json.Decoder(Head).decode


class SessionConsumer(AsyncConsumer):
    """
    One client at one session.

    It is told who it is and how far the ledger is (``connected``), then every event behind the
    place it named, once and in order, and those that come; if it asked for updates, the session as
    seed 001 shows it, too. What it says is carried out one after the other; a refusal is told and
    closes nothing, what is no frame at all closes the socket.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection; no channel layer and no dispatch take part."""
        self._scope: Mapping[str, Any] = scope
        self._token = ""
        self._updates: session_updates.Updates = ""
        self._outlet = Outlet(scope, send)
        frames = settings.ENVIRONMENT.control_frames_per_second
        self._bucket = Bucket(per_second=frames, burst_seconds=BURST_SECONDS)
        await receive()
        await send({"type": "websocket.accept"})
        try:
            principal, after = await self._admit(receive)
            if principal is not None:
                reference = scope["url_route"]["kwargs"]["session"]
                visit = await run_db(session_door.enter, principal, reference)
                with auth.room_for(principal):
                    await self._serve(visit, after, receive)
        except AegisError as error:
            await self._end_with(error)

    async def _admit(self, receive: Any) -> tuple[Principal | None, str]:
        """Who is there and where it goes on; None, if it went before it said so."""
        found = await run_db(door.shown, self._scope, transport=session_door.TRANSPORT)
        if found is not None:
            self._updates = session_updates.read(_parameter(self._scope, "updates"))
            return found, _parameter(self._scope, "after")
        try:
            async with asyncio.timeout(FIRST_FRAME_SECONDS):
                event = await receive()
        except TimeoutError:
            raise HelloMissing from None
        if event["type"] == "websocket.disconnect":
            self._outlet.over.set()
            return None, ""
        frame = session_frames.read(session_frames.decode(_raw(event)))
        if not isinstance(frame, Authenticate):
            raise NotAuthenticated("The first frame says who is there.")
        self._token, self._updates = frame.token, frame.updates
        return await run_db(session_door.by_token, frame.token), frame.after

    async def _serve(self, visit: Visit, after: str, receive: Any) -> None:
        begin, cursor = session_frames.place(after, head=visit.head)
        if self._updates:
            visit.principal.require("sessions:read")
        await self._reply(_connected(visit, after=begin.value - 1))
        await self._update(visit)
        key = (str(visit.session.pk), LEDGER)
        turns = following.follow(
            nodes.required().hub, key, begin, cursor, beat_seconds=CHECK_SECONDS
        )
        work = [
            self._tell(turns, visit, is_over=not visit.session.is_open),
            self._read(receive, visit),
            self._check(visit),
            self._beat(),
        ]
        lives = [asyncio.ensure_future(one) for one in work]
        try:
            done, _ = await asyncio.wait(lives, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in lives:
                task.cancel()
            await asyncio.gather(*lives, return_exceptions=True)
        for task in done:
            task.result()

    # What happens

    async def _tell(self, turns: Any, visit: Visit, *, is_over: bool) -> None:
        async with aclosing(turns):
            async for turn in turns:
                types = await self._turn(turn)
                if session_updates.are_due(types):
                    await self._update(visit)
                is_over = is_over or SessionEvent.ENDED in types
                if is_over and turn.cut is None and turn.notice is None:
                    await self._outlet.close(CloseCode.SESSION_OVER)
                    return
        await self._outlet.close(CloseCode.DRAINING)

    async def _turn(self, turn: Turn) -> set[str]:
        """Tell what a turn brings; the types of the events in it."""
        told = topic_documents.notice(turn.notice)
        if told is not None:
            await self._reply({"type": "notice", "notice": codecs.show(told)})
        types, ck, cut = set[str](), turn.before, turn.cut
        for seq, body in enumerate(cut.data if cut else (), cut.first if cut else 1):
            ck = position.chain(ck, seq, body)
            at = Position(turn.at.epoch, seq, ck)
            payload = orjson.Fragment(body)
            await self._reply({"type": "event", "position": str(at), "payload": payload})
            types.add(read_head(body).type)
        return types

    async def _update(self, visit: Visit) -> None:
        """Tell how the session is now, after what it was told, if that was asked for."""
        if self._updates:
            await self._reply(await read_db(session_updates.update, visit.session.pk))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self._reply({"type": "heartbeat"})

    async def _check(self, visit: Visit) -> None:
        """Send away whoever would not be let in now."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            principal = await run_db(session_door.again, self._scope, self._token)
            await run_db(session_door.enter, principal, str(visit.session.pk))
            if principal != visit.principal:
                # With other rights it is somebody else.
                await self._outlet.close(CloseCode.DRAINING)
                return

    # What the client says

    async def _read(self, receive: Any, visit: Visit) -> None:
        loop = asyncio.get_running_loop()
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                self._outlet.over.set()
                return
            if not self._bucket.take(loop.time()):
                raise RateLimited("Too many frames.")
            await self._take(session_frames.decode(_raw(event)), visit)

    async def _take(self, value: dict[str, Any], visit: Visit) -> None:
        ref = session_frames.reference(value)
        try:
            frame = session_frames.read(value)
            found = await self._carry_out(frame, visit)
        except AegisError as error:
            await self._refuse(error, ref=ref)
        except Exception:  # whatever it was, the client is told and we see it
            logger.exception("A frame failed", extra={"action": "session_frame_failed"})
            await self._refuse(InternalError(), ref=ref)
        else:
            await self._reply({**found, "ref": ref} if ref else found)

    async def _carry_out(self, frame: AnyFrame, visit: Visit) -> dict[str, Any]:
        if isinstance(frame, Heartbeat):
            return {"type": "heartbeat"}
        return await run_db(session_acts.carry_out, visit.principal, visit.session.pk, frame)

    # What goes out

    async def _refuse(self, error: AegisError, *, ref: str = "") -> None:
        said = {"error_code": error.code, "message": error.message, "details": error.details}
        await self._reply({"type": "error", **said, **({"ref": ref} if ref else {})})

    async def _end_with(self, error: AegisError) -> None:
        await self._refuse(error)
        gone = isinstance(error, SessionNotFound)
        code = CloseCode.NO_SESSION if gone else close_code(error)
        await self._outlet.close(code, error.message)

    async def _reply(self, frame: dict[str, Any]) -> None:
        await self._outlet.say(orjson.dumps(frame, default=str).decode())


def _connected(visit: Visit, *, after: int) -> dict[str, Any]:
    return {
        "type": "connected",
        "session_id": str(visit.session.pk),
        "connection_id": str(uuid4()),
        "state": visit.session.state,
        "actor": visit.principal.actor,
        "head": visit.head,
        "after": after,
        "heartbeat_seconds": BEAT_SECONDS,
    }


def _parameter(scope: Mapping[str, Any], name: str) -> str:
    query: dict[str, list[str]] = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return query.get(name, [""])[0]


def _raw(event: Mapping[str, Any]) -> str | bytes:
    found: str | bytes = event.get("text") or event.get("bytes") or b""
    return found
