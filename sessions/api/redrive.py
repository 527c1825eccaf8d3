"""Sending what a session recorded once more, over HTTP."""

from typing import Annotated

from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from sessions.api import answers
from sessions.api.clock import Instant
from sessions.api.documents import SessionDocument
from sessions.services import redrives
from sessions.services.redrives import Drive
from streaming.api.base import Endpoint, once
from streaming.api.documents import Topics
from streaming.api.schema import operation


class RedriveInput(Struct, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """
    What of the recording is sent, how fast, and what the new session is called.

    `speed` is how many times real time, 0.25 to 100; 0 is as fast as every component takes it.
    `from` and `to` are unix milliseconds or ISO 8601; 0 leaves an end open.
    """

    key: Annotated[str, Meta(max_length=128)] = ""
    name: Annotated[str, Meta(max_length=200, pattern="^[^\\x00]*$")] = ""
    speed: Annotated[float, Meta(ge=0, le=100)] = 0.0
    from_: Instant = 0
    to: Instant = 0
    topics: Topics = []
    loop: bool = False

    def drive(self) -> Drive:
        """What the service takes."""
        return Drive(
            key=self.key,
            name=self.name,
            speed=self.speed,
            from_=self.from_,
            to=self.to,
            topics=tuple(self.topics),
            loop=self.loop,
        )


class RedriveSession(Endpoint):
    """Send a recording once more."""

    examples = {"POST": {"speed": 10}}

    @operation(
        "sessions.redrive", tag="recovery", body=RedriveInput, answers={201: SessionDocument}
    )
    @once
    def post(self, _request: Request, session: str) -> Response:
        """
        Make a historical session that replays what this one recorded to components of its own.

        Nothing is done in this one. The new one is in `created`; its clock is that of every
        historical session.
        """
        drive = self.ordered(RedriveInput).drive()
        made = redrives.redrive(principal=self.principal, session=session, drive=drive)
        response = answers.outcome(made, status=201)
        response["Location"] = f"/api/v1/sessions/{made.session.pk}"
        return response
