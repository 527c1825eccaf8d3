"""What people do in a conversation: read on, say something with files, stop a run."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_POST

from aegis_project.kit.errors import AegisError
from components.admin.asking import asking
from sessions.admin import conversation, run_cells
from sessions.admin.fragments import fragment
from sessions.admin.panels import Page
from sessions.core.errors import AgentNotFound
from sessions.selectors import agents, history
from sessions.services import attachments, runs
from sessions.services import conversation as services
from sessions.services.conversation import Utterance

MOST = 50
"""Agents that are offered beside the session's own."""


def context(page: Page) -> dict[str, Any]:
    """What the tab of the conversation shows at first."""
    session = history.readable(page.principal, str(page.session.pk))
    talk = conversation.load(page.principal, session)
    why_not = _why_not(page)
    return {
        "talk": talk,
        "cards": mark_safe(conversation.html(talk)),  # noqa: S308 -- made by our templates
        "runs": run_cells.beside(session, now=timezone.now()),
        "voices": _voices(page),
        "may_say": not why_not,
        "why_not": why_not,
    }


def _why_not(page: Page) -> str:
    if not page.principal.allows("messages:write"):
        return "You may read this conversation, and not take part in it."
    return "" if page.session.is_open else f"The session is {page.session.state}: nobody talks."


def _voices(page: Page) -> list[tuple[str, str]]:
    """Who may be asked, by name: the session's own agent, or nobody, first."""
    own = page.session.agent
    others = agents.visible(page.principal).exclude(slug=own)
    found = [(one.slug, one.name or one.slug) for one in others.order_by("name", "slug")[:MOST]]
    return [("", _answering(page)), *found]


def _answering(page: Page) -> str:
    try:
        agent = conversation.answering(page.principal, page.session)
    except AgentNotFound:
        agent = None
    return agent.name or agent.slug if agent else "Nobody"


@require_GET
@fragment
def earlier(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The messages before a place, as cards."""
    principal = asking(request)
    session = history.readable(principal, str(session_id))
    before = request.GET.get("before", "")
    talk = conversation.load(principal, session, before=int(before) if before.isdecimal() else None)
    response = HttpResponse(conversation.html(talk))
    response["X-Has-More"] = "1" if talk.extract.has_more else ""
    return response


@require_POST
def say(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Say something; a script gets JSON, a plain form goes back to the page."""
    content = request.POST.get("content", "").replace("\r\n", "\n")
    principal, agent = asking(request), request.POST.get("agent", "")
    try:
        files = [
            attachments.upload(
                principal=principal, session=session_id, filename=one.name or "", content=one.read()
            ).pk
            for one in request.FILES.getlist("file")
        ]
        draft = Utterance(content=content, agent=agent, attachments=files)
        said = services.say(principal=principal, session=session_id, draft=draft)
    except AegisError as error:
        return _refused(request, session_id, error)
    run = str(said.run.pk) if said.run else None
    return _done(request, session_id, {"message": str(said.message.pk), "run": run})


@require_POST
def cancel(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Stop one run."""
    try:
        run = runs.cancel(
            principal=asking(request), run=request.POST.get("run", ""), reason="stopped by hand"
        )
    except AegisError as error:
        return _refused(request, session_id, error)
    return _done(request, session_id, {"state": run.state})


def _done(request: HttpRequest, session_id: UUID, answer: dict[str, Any]) -> HttpResponse:
    return JsonResponse(answer) if _is_script(request) else _back(session_id)


def _refused(request: HttpRequest, session_id: UUID, error: AegisError) -> HttpResponse:
    if _is_script(request):
        request_id = getattr(request, "request_id", "")
        body = {"error": {**error.as_dict(), "request_id": request_id}}
        return JsonResponse(body, status=error.status)
    messages.error(request, f"{error.message} ({error.code})")
    return _back(session_id)


def _is_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _back(session_id: UUID) -> HttpResponse:
    page = reverse("admin:aegis_sessions_session_change", args=[session_id])
    return HttpResponseRedirect(f"{page}?tab=conversation")
