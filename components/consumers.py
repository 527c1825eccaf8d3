"""The control socket: it performs what the handshake decides."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from channels.consumer import AsyncConsumer
from django.conf import settings
from django.utils import timezone

from aegis_project import instruments
from aegis_project.database import run_db
from aegis_project.kit.errors import AegisError
from aegis_project.kit.ratelimit import Bucket
from components import auth
from components.core import effects, frames
from components.core.handshake import Handshake
from components.jobs import Links
from components.services import admissions, standing, tool_uses
from streaming import metrics
from streaming import node as nodes
from streaming.core.errors import CloseCode, StreamFailed, TooManyFrames

logger = logging.getLogger(__name__)

BURST_SECONDS = 2.0


class ControlConsumer(AsyncConsumer):
    """
    One control socket.

    Frames are taken one after the other in the order they came; only the links job, which beats
    and judges, and the watcher, which sees what was decided elsewhere, act beside that, on the
    same loop. ``is_held`` says whether this socket still stands for its component.
    """

    links: Links
    handshake: Handshake
    component_id = ""
    fence = 0
    _storing = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection; Channels' dispatch and its database clean-up stay out of it."""
        self._send = send
        self._may_be_open = auth.may_be_open(scope)
        self.links = Links.of(nodes.required())
        self.handshake = Handshake(now=self.links.now(), beats=self.links.beats)
        self.bucket = Bucket(
            per_second=settings.ENVIRONMENT.control_frames_per_second, burst_seconds=BURST_SECONDS
        )
        self._closed = False
        self._sending = asyncio.Lock()
        await receive()
        await self._send({"type": "websocket.accept"})
        # Its headers and addresses would stay as long as the socket, and nobody asks again.
        scope.clear()
        self.links.open(self)
        try:
            await self._serve(receive)
        finally:
            self.links.close(self)
            await self.perform(self.handshake.disconnect())

    @property
    def is_busy(self) -> bool:
        """Whether the database is waited for, and with it every frame that came since."""
        return self._storing > 0

    async def _serve(self, receive: Any) -> None:
        while not self._closed:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                return
            raw = event.get("text")
            await self.take(raw if raw is not None else event.get("bytes") or b"")
            # It would be kept until the next one comes.
            del event, raw

    async def take(self, raw: str | bytes) -> None:
        """Let the handshake decide about one frame; a fault of ours closes 4104, never 1011."""
        now = self.links.now()
        try:
            if self.bucket.take(now):
                decided = self.handshake.receive(raw, now=now)
            else:
                decided = self.handshake.fail(TooManyFrames(), reason="too_many_frames")
            await self.perform(decided)
        except AegisError as error:
            await self.perform(self.handshake.fail(error))
        except Exception:  # whatever it was, the component is told and we see it
            logger.exception("A control frame failed", extra={"action": "control_frame_failed"})
            await self.perform(self.handshake.fail(StreamFailed()))

    async def perform(self, decided: list[effects.Effect]) -> None:
        """Carry out effects, in their order."""
        for effect in decided:
            match effect:
                case effects.Reply(frame=frame):
                    await self.reply(frame)
                case effects.Close(code=code, both=both):
                    await self._close(code, both=both)
                case _:
                    await self._store(effect)

    async def _store(self, effect: effects.Effect) -> None:
        self._storing += 1
        try:
            match effect:
                case effects.Authenticate(register=register):
                    await self._admit(register)
                case effects.Renew(session_token=token):
                    await self._renew(token)
                case _:
                    await self._move(effect)
        finally:
            self._storing -= 1

    async def _admit(self, register: Any) -> None:
        try:
            admission, self.fence = await run_db(
                admissions.admit,
                register=register,
                lease_id=self.links.lease_id,
                is_open=self._may_be_open,
            )
        except AegisError as error:
            await self.perform(self.handshake.refuse(error))
            return
        self.component_id = admission.component_id
        instruments.note(component=self.component_id, session=str(admission.session_id))
        self.links.bind(self)
        await self.perform(self.handshake.admit(admission, now=self.links.now()))

    async def _renew(self, token: str) -> None:
        try:
            expiry = await run_db(
                admissions.renew,
                secret=token,
                component_id=self.component_id,
                is_open=self._may_be_open,
            )
        except AegisError as error:
            await self.perform(self.handshake.refuse(error))
            return
        await self.perform(self.handshake.renew(expiry, now=self.links.now()))

    async def _move(self, effect: effects.Effect) -> None:
        own: Mapping[str, Any] = {"component_id": self.component_id, "fence": self.fence}
        match effect:
            case effects.MarkReady():
                await self.links.become_ready(self.component_id, self.fence)
            case effects.MarkLate(is_late=is_late):
                await run_db(standing.note_late, is_late=is_late, **own)
            case effects.MarkLost(reason=reason):
                await self.links.lose.add((self.component_id, self.fence, reason))
            case effects.Report(fault=fault):
                if await run_db(standing.report, fault=fault, **own):
                    await self._close(CloseCode.NORMAL, both=True)
            case effects.Finish():
                await run_db(standing.finish, **own)
            case effects.Answer(result=result):
                await run_db(tool_uses.answer, result=result, component_id=self.component_id)

    async def reply(self, frame: frames.Frame) -> None:
        """Send one frame in the spelling of this connection, unless the socket is closed."""
        text = self.handshake.write(frame, at=timezone.now().isoformat())
        async with self._sending:
            if text is not None and not self._closed:
                await self._put({"type": "websocket.send", "text": text})

    async def _close(self, code: CloseCode, *, both: bool) -> None:
        if both and self.component_id:
            await self.links.close_data(self.component_id, self.fence, code)
        async with self._sending:
            if not self._closed:
                self._closed = True
                metrics.count_close("control", code)
                await self._put({"type": "websocket.close", "code": int(code)})

    async def _put(self, event: Mapping[str, Any]) -> None:
        try:
            await self._send(event)
        except Exception as gone:  # noqa: BLE001 -- each server has its own way to say so
            # The disconnect that follows says what becomes of the component.
            self._closed = True
            logger.debug("Nobody was there to be told: %s", gone)
