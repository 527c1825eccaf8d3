"""The playground: sockets opened by hand from a page, with the frames of each dialect to begin with."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_POST

from aegis_project.kit.errors import AegisError
from components.admin.asking import asking
from sessions.core.lifecycle import OPEN
from sessions.selectors import sessions
from sessions.services import creation

SHOWN = 20
MESSAGE_ID = "playground-1"


@dataclass(frozen=True, slots=True)
class Step:
    """
    A frame to send: what it does, on which socket, and what it says.

    ``$token``, ``$component_id``, ``$session``, ``$agent`` and ``$topic`` are filled in on the page.
    """

    title: str
    socket: str
    frame: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Script:
    """One dialect by its frames; ``sockets`` are the addresses by what they are called here."""

    name: str
    title: str
    note: str
    sockets: dict[str, str]
    steps: Sequence[Step]
    beats: dict[str, Any] = field(default_factory=dict)


COMPONENT = Script(
    name="component",
    title="Component: handshake to streaming",
    note="Control and data socket of a component. Records come once it is ready and the session runs.",
    sockets={"control": "/ws/control", "data": "/ws/data"},
    steps=[
        Step(
            "Connect and register",
            "control",
            {"session_token": "$token", "name": "playground", "topics": ["$topic"]},
        ),
        Step(
            "Connect for data",
            "data",
            {"session_token": "$token", "component_id": "$component_id"},
        ),
        Step("Subscribe", "data", {"COMMAND": "SUBSCRIBE", "id": 1, "topics": ["$topic"]}),
        Step("Say that it is ready", "control", {"COMMAND": "READY"}),
        Step(
            "Publish a record",
            "data",
            {"COMMAND": "PUBLISH", "topic": "$topic", "msgs": [{"hello": "there"}]},
        ),
    ],
    beats={"control": {"COMMAND": "HEARTBEAT"}},
)


def scripts() -> list[Script]:
    """Every dialect that has a socket, the component's first."""
    prefix = settings.ENVIRONMENT.agents_prefix
    agents = f"/{prefix}/agents" if prefix else "/agents"
    return [
        COMPONENT,
        Script(
            name="commands",
            title="Commands in envelopes",
            note="The commands of the daemon. Each answer has the request_id of its question.",
            sockets={"commands": "/aegis/commands"},
            steps=[
                Step(
                    "List the sessions",
                    "commands",
                    {"request_id": "1", "command": "SESSION_LIST", "payload": {}},
                ),
                Step(
                    "Ask how one is",
                    "commands",
                    {
                        "request_id": "2",
                        "command": "SESSION_STATE",
                        "payload": {"session_id": "$session"},
                    },
                ),
            ],
        ),
        Script(
            name="task",
            title="A task of an agent, streamed",
            note="Chunks come until the final one; then the server closes the socket.",
            sockets={"agent": f"{agents}/$agent/stream"},
            steps=[
                Step(
                    "Give the task",
                    "agent",
                    {
                        "input": {"type": "text/plain", "content": "Say hello."},
                        "context": {"sessionId": "$session"},
                    },
                )
            ],
        ),
        Script(
            name="bus",
            title="The bus: messages and events",
            note="Events of all sessions that you see come by themselves; a message is answered.",
            sockets={"bus": "/bus/events"},
            steps=[
                Step(
                    "Ask the session daemon",
                    "bus",
                    {"daemon": "session", "type": "list", "data": {}, "ref": MESSAGE_ID},
                )
            ],
        ),
        Script(
            name="conversation",
            title="A session's own socket",
            note="Its ledger as it is written, and what one can say in it.",
            sockets={"session": "/ws/sessions/$session"},
            steps=[
                Step("Say that you are there", "session", {"type": "heartbeat"}),
                Step(
                    "Say something that needs no answer",
                    "session",
                    {"type": "message", "content": "Hello.", "answers": False, "ref": MESSAGE_ID},
                ),
                Step("Ask what was missed", "session", {"type": "reconnect", "after": 0}),
            ],
        ),
    ]


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """The page, with the sessions that one is likely to mean."""
    principal = asking(request)
    if not principal.allows("sessions:read"):
        raise PermissionDenied
    rows = sessions.visible(principal).filter(state__in=OPEN)
    found = scripts()
    context = {
        **admin.site.each_context(request),
        "title": "Playground",
        "content_title": "Playground",
        "is_fullwidth": "1",
        "dialects": found,
        "model": {one.name: asdict(one) for one in found},
        "sessions": rows.order_by("-last_activity_at", "-id")[:SHOWN],
        "chosen": request.GET.get("session", ""),
    }
    return TemplateResponse(request, "admin/aegis/playground.html", context)


@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """A session token for a handshake by hand; the page keeps it until it is closed."""
    try:
        issued = creation.issue_token(
            principal=asking(request), session=request.POST.get("session", "")
        )
    except AegisError as error:
        said = {**error.as_dict(), "request_id": getattr(request, "request_id", "")}
        return JsonResponse({"error": said}, status=error.status)
    answer = JsonResponse({"session_token": issued.secret})
    answer["Cache-Control"] = "no-store"
    return answer
