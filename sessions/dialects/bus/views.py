"""Seed 003 over HTTP: one address for each daemon of the bus."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from msgspec import UNSET, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project.kit.errors import ValidationFailed
from sessions.dialects.anything import AnyBody
from sessions.dialects.bus import registry, shapes
from sessions.dialects.bus.shapes import Message
from streaming.api.base import alone, once
from streaming.api.schema import operation


class BusReply(Struct, kw_only=True, rename="camel"):
    """What a daemon answers: its data, or why not."""

    success: bool
    data: Any | UnsetType = UNSET
    error: str | UnsetType = UNSET
    aegis_state: str | UnsetType = UNSET
    conditions: list[str] | UnsetType = UNSET


class Bus(AnyBody):
    """A daemon of the bus, which takes messages one at a time."""

    examples = {"POST": {"type": "create", "data": {"type": "development", "owner": "human-joel"}}}
    came: Message | None = None

    @operation(
        "bus.post",
        tag="bus",
        body=OpenApiTypes.ANY,
        answers={200: BusReply},
        failure=BusReply,
    )
    def post(self, request: Request, daemon: str) -> Response:
        """
        Send a message, an object of `type` and `data`, to a daemon.

        The answer has the status 200, also where `success` is false.
        """
        try:
            self.came = shapes.message(self.sent())
        except ValidationFailed as error:
            return Response(shapes.refused(error.message))
        if registry.waits(daemon, self.came.type):
            return self.wait(request, daemon)
        return self.act(request, daemon)

    post.keeps_answers = True  # type: ignore[attr-defined]  # both ways do

    @once
    def act(self, _request: Request, daemon: str) -> Response:
        """Carry out a message that is one transaction."""
        return self.answer(daemon)

    @alone
    def wait(self, _request: Request, daemon: str) -> Response:
        """Carry out a message that is answered when it is settled."""
        return self.answer(daemon)

    def answer(self, daemon: str) -> Response:
        """The answer to the message that was read."""
        assert self.came is not None  # noqa: S101 -- `post` read it
        return Response(registry.send(self.principal, daemon, self.came.type, self.came.data))

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        response.data = shapes.refused(response.data["error"]["message"])
        return response
