"""A2A 1.0 over HTTP: cards, JSON-RPC, and HTTP+JSON, behind the same doors as everything else."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from django.http.response import HttpResponseBase
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from aegis_project.kit.errors import UnsupportedMediaType, ValidationFailed
from aegis_project.kit.principal import ANONYMOUS, Principal
from sessions.dialects import a2a_cards
from sessions.dialects.anything import AnyBody
from sessions.selectors import agents
from streaming.api import sse
from streaming.api.base import alone, once
from streaming.api.sse import Always

if TYPE_CHECKING:
    from sessions.dialects.a2a.calls import Call
    from sessions.dialects.a2a.faults import Fault

JSON, A2A_JSON = "application/json", "application/a2a+json"
TYPES = frozenset({"", JSON, A2A_JSON})
TRANSPORT = "a2a"


class Plain(BaseRenderer):
    """JSON, whatever is accepted."""

    media_type = JSON
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=str)


class Named(Plain):
    """The same under the name that HTTP+JSON has for it."""

    media_type = A2A_JSON


class A2AView(AnyBody):
    """An address of A2A: its refusals have the protocol's shape."""

    renderer_classes = [Named]
    content_negotiation_class = Always
    # The protocol describes itself, by its cards.
    schema = None

    @property
    def principal(self) -> Principal:
        found = super().principal
        return found.via(
            TRANSPORT, request_id=found.request_id, idempotency_key=found.idempotency_key
        )

    @property
    def base(self) -> str:
        """The address of this server."""
        return str(self.request.build_absolute_uri("/"))

    def handle_exception(self, exc: Exception) -> Response:
        from sessions.dialects.a2a import faults  # noqa: PLC0415 -- slow import

        self.note(exc)
        fault = faults.fault(exc)
        headers: dict[str, str] = {}
        if fault is None or fault.is_ours:
            response = super().handle_exception(exc)
            ours = response.data["error"]
            fault = faults.said(ours["code"], ours["message"], status=response.status_code)
            headers = dict(response.headers)
        response = self.refused(fault)
        for name in ("WWW-Authenticate", "Retry-After"):
            if name in headers:
                response[name] = headers[name]
        response.exception = True
        return response

    def refused(self, fault: "Fault") -> Response:
        """A refusal as this binding says it."""
        return Response(fault.rest(), status=fault.http, content_type=JSON)

    def call(self, name: str, agent: str, params: Any) -> "Call":
        """What is asked of an agent, once version and extensions are right."""
        from sessions.dialects.a2a import calls  # noqa: PLC0415 -- slow import

        headers = self.request.headers
        return calls.prepare(
            name,
            params,
            principal=self.principal,
            agent=agents.find(self.principal, agent),
            base=self.base,
            version=headers.get("A2A-Version") or self.request.query_params.get("A2A-Version", ""),
            extensions=headers.get("A2A-Extensions", ""),
        )

    @alone
    def answer(self, call: "Call") -> Response:
        """Carry out what is answered once."""
        return Response(self.shown(call.result()), headers=call.headers)

    def stream(self, call: "Call") -> HttpResponseBase:
        """Answer with events, once the first of them is there."""
        if call.is_new:
            begun = self.begin(call)
            if begun.status_code != 200:
                return begun
            call.follow(begun.data["run"])
        feed = call.feed(self.shown, self.broken)
        response = sse.answer(self, lambda _here: feed)
        for name, value in call.headers.items():
            response[name] = value
        return response

    @once
    def begin(self, call: "Call") -> Response:
        """Let the task in; a repetition with the same idempotency key follows the same one."""
        return Response({"run": call.begin()})

    def shown(self, result: Any) -> Any:
        """A result as this binding says it."""
        return {} if result is None else result

    def broken(self, error: Exception) -> Any:
        """How this binding says that a stream could not go on."""
        from sessions.dialects.a2a import faults  # noqa: PLC0415 -- slow import

        return faults.broken(error).rest()

    def document(self) -> Any:
        """
        The body, which says that it is JSON.

        :raises UnsupportedMediaType: otherwise
        """
        kind = (self.request.content_type or "").partition(";")[0].strip().lower()
        if kind not in TYPES and self.raw():
            raise UnsupportedMediaType(f"A body is {A2A_JSON} or {JSON}.")
        return self.sent()


class Card(A2AView):
    """The card of an agent, for whoever may know of it."""

    permission_classes = [AllowAny]
    renderer_classes = [Plain]

    def get(self, request: Request, agent: str = agents.ASSISTANT) -> Response:
        """Read a card; 304 for who has it."""
        asking = request.auth if isinstance(request.auth, Principal) else ANONYMOUS
        row = agents.find(asking, agent)
        told = a2a_cards.card(row, base=self.base)
        headers = a2a_cards.caching(row, told)
        known = [one.strip() for one in request.headers.get("If-None-Match", "").split(",")]
        if {headers["ETag"], f"W/{headers['ETag']}", "*"} & set(known):
            return Response(status=304, headers=headers)
        return Response(told, headers=headers)


class Rpc(A2AView):
    """All operations of one agent by JSON-RPC."""

    renderer_classes = [Plain]
    request_id: Any = None

    def post(self, _request: Request, agent: str) -> HttpResponseBase:
        """Carry out one operation."""
        from sessions.dialects.a2a import calls  # noqa: PLC0415 -- slow import

        try:
            body = self.document()
        except ValidationFailed as error:
            raise calls.unreadable(self.raw(), error) from None
        self.request_id = calls.id_of(body)
        name, params = calls.asked(body)
        call = self.call(name, agent, params)
        return self.stream(call) if call.is_stream else self.answer(call)

    post.keeps_answers = True  # type: ignore[attr-defined]  # both ways do

    def refused(self, fault: "Fault") -> Response:
        # The protocol's own errors are answers; who may not even ask is told by HTTP, too.
        status = fault.http if fault.is_ours else 200
        return Response(fault.rpc(self.request_id), status=status)

    def shown(self, result: Any) -> Any:
        return {"jsonrpc": "2.0", "id": self.request_id, "result": result}

    def broken(self, error: Exception) -> Any:
        from sessions.dialects.a2a import faults  # noqa: PLC0415 -- slow import

        return faults.broken(error).rpc(self.request_id)


View = Callable[..., HttpResponseBase]


def asks(name: str, **renamed: str) -> View:
    """
    A method of HTTP that asks for this operation.

    ``renamed`` are the words of the address and what they are called in the parameters.
    """

    def method(view: A2AView, request: Request, agent: str, **words: str) -> HttpResponseBase:
        body = (
            request.query_params.dict() if request.method in {"GET", "DELETE"} else view.document()
        )
        if not isinstance(body, dict):
            raise ValidationFailed("An object is required.")
        call = view.call(name, agent, {**body, **{renamed[word]: words[word] for word in words}})
        return view.stream(call) if call.is_stream else view.answer(call)

    method.keeps_answers = True  # type: ignore[attr-defined]  # both ways do
    return method


class Send(A2AView):
    """Messages, answered once."""

    post = asks("SendMessage")


class Stream(A2AView):
    """Messages, answered by a stream."""

    post = asks("SendStreamingMessage")


class Several(A2AView):
    """The caller's tasks."""

    get = asks("ListTasks")


class One(A2AView):
    """One task."""

    get = asks("GetTask", task="id")


class Cancel(A2AView):
    """The end of a task."""

    post = asks("CancelTask", task="id")


class Subscribe(A2AView):
    """A task as it goes on."""

    get = post = asks("SubscribeToTask", task="id")


class Pushes(A2AView):
    """Where a task is told to others."""

    get = asks("ListTaskPushNotificationConfigs", task="taskId")
    post = asks("CreateTaskPushNotificationConfig", task="taskId")


class Push(A2AView):
    """One address that a task is told to."""

    get = asks("GetTaskPushNotificationConfig", task="taskId", push="id")
    delete = asks("DeleteTaskPushNotificationConfig", task="taskId", push="id")


class Extended(A2AView):
    """The card for those who are signed in."""

    get = asks("GetExtendedAgentCard")
