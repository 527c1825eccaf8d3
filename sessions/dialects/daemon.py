"""The commands of seed 000, and the address over HTTP that takes its envelopes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project.kit.errors import AegisError, ValidationFailed
from aegis_project.kit.principal import Principal
from components.core.errors import ComponentNotFound
from sessions.dialects import envelope, health, looks, verbs
from sessions.dialects.anything import AnyBody
from sessions.dialects.envelope import Envelope, Refused
from streaming.api.base import alone, once
from streaming.api.schema import operation
from streaming.services import commands


@dataclass(frozen=True, slots=True)
class Verb:
    """A command: what it does, how its refusal begins, and what that carries beside the reason."""

    run: Callable[[Principal, dict[str, Any]], dict[str, Any]]
    failure: str = "{}"
    rest: dict[str, Any] | None = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to an envelope, and the error that it tells of."""

    answer: dict[str, Any]
    error: AegisError | None = None


NAMED = {"session_id": ""}
VERBS = {
    "SESSION_CREATE": Verb(verbs.create, "Session creation failed: {}"),
    "SESSION_ATTACH": Verb(verbs.attach, "Attach failed: {}", NAMED),
    "SESSION_START": Verb(verbs.start, "Could not start session: {}", verbs.NOWHERE),
    "SESSION_RESUME": Verb(verbs.start, "Could not resume session: {}", verbs.NOWHERE),
    "SESSION_RESTART": Verb(verbs.restart, "Could not restart session: {}", verbs.NOWHERE),
    "SESSION_STOP": Verb(verbs.stop, "Could not stop session: {}", NAMED),
    "SESSION_LIST": Verb(verbs.several, "Could not list sessions: {}"),
    "SESSION_STATE": Verb(verbs.state, rest=None),
    "SESSION_DELETE": Verb(verbs.delete, "Deletion failed: {}", NAMED, "Session deleted"),
    "COMPONENT_LIST": Verb(looks.components),
    "COMPONENT_GET": Verb(looks.component, rest=NAMED),
    "COMPONENT_DESCRIBE": Verb(looks.describe, rest=NAMED),
    "HEALTH_CHECK": Verb(health.check),
    "HEALTH_CHECK_SESSION": Verb(health.of_session, rest=NAMED),
    "HEALTH_CHECK_COMPONENT": Verb(health.of_component, rest=NAMED),
}
# What is refused of these stands in the audit, however far it came.
CHANGING = frozenset(
    f"SESSION_{word}"
    for word in ("CREATE", "ATTACH", "START", "RESUME", "RESTART", "STOP", "DELETE")
)
# By this header a program knows what an answer, which has the status 200, refuses.
FAILURE = "Aegis-Error"
WAITING = frozenset({"SESSION_START", "SESSION_RESUME", "SESSION_RESTART"})


def execute(principal: Principal, asked: Envelope) -> dict[str, Any]:
    """Carry an envelope's command out; whatever is refused is an answer too."""
    return carried_out(principal, asked).answer


def carried_out(principal: Principal, asked: Envelope) -> Answered:
    """The same, with the error that a refusal was."""
    verb = VERBS.get(asked.command)
    if verb is None:
        unknown = ValidationFailed(f"Unknown command: {asked.command}")
        return Answered(envelope.error(asked, unknown.message, {}), unknown)
    try:
        done = verb.run(principal, asked.payload)
    except Refused as refused:
        _note(principal, asked, refused.error)
        said = envelope.error(asked, _say(verb, refused.error), refused.data)
        return Answered(said, refused.error)
    except AegisError as error:
        _note(principal, asked, error)
        return Answered(envelope.error(asked, _say(verb, error), _rest(verb, asked)), error)
    return Answered(envelope.ok(asked, done, message=verb.message))


def _note(principal: Principal, asked: Envelope, error: AegisError) -> None:
    if asked.command in CHANGING:
        target = str(asked.payload.get("session_id") or "")
        commands.kept_out(error, command=asked.command, principal=principal, target=target)


def _say(verb: Verb, error: AegisError) -> str:
    if isinstance(error, ComponentNotFound):
        return verb.failure.format("Component not found in session")
    return verb.failure.format(envelope.reason(error))


def _rest(verb: Verb, asked: Envelope) -> dict[str, Any] | None:
    if verb.rest is None or "session_id" not in verb.rest:
        return verb.rest
    named = asked.payload.get("session_id")
    return {**verb.rest, "session_id": named if isinstance(named, str) else ""}


class CommandInput(Struct, kw_only=True):
    """An envelope; `type` and `data` are other words for `command` and `payload`."""

    command: Annotated[str, Meta(min_length=1, max_length=64)]
    request_id: Annotated[str, Meta(max_length=200)] = ""
    payload: dict[str, Any] | None = None


class CommandAnswer(Struct, kw_only=True):
    """How a command went; `status` is ok or error."""

    request_id: str
    command: str
    status: str
    message: str = ""
    data: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Commands(AnyBody):
    """The commands of seed 000, each an envelope that is answered by one."""

    examples = {"POST": {"request_id": "1", "command": "SESSION_LIST", "payload": {}}}
    came: Envelope | None = None

    @operation(
        "commands.post",
        tag="commands",
        body=CommandInput,
        answers={200: CommandAnswer},
        failure=CommandAnswer,
    )
    def post(self, request: Request) -> Response:
        """Carry one command out; a refusal has the status 200 and `status` error."""
        self.came = envelope.read(self.sent(), request_id=self.principal.request_id)
        if self.came.command in WAITING:
            return self.wait(request)
        return self.act(request)

    post.keeps_answers = True  # type: ignore[attr-defined]  # both ways do

    @once
    def act(self, _request: Request) -> Response:
        """Carry out a command that is one transaction."""
        return self.answer()

    @alone
    def wait(self, _request: Request) -> Response:
        """Carry out a command that is answered when it is settled."""
        return self.answer()

    def answer(self) -> Response:
        """The answer to the envelope that was read."""
        assert self.came is not None  # noqa: S101 -- `post` read it
        done = carried_out(self.principal, self.came)
        headers = {FAILURE: f"{done.error.code} {done.error.status}"} if done.error else None
        return Response(done.answer, headers=headers)

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        said = response.data["error"]
        asked = self.came or Envelope(said["request_id"], "", {})
        response.data = envelope.error(asked, said["message"], {})
        response[FAILURE] = f"{said['code']} {response.status_code}"
        return response
