"""The page of a checkpoint: what it holds, what is otherwise now, and what can be made of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from aegis_project.kit.errors import AegisError, ValidationFailed
from aegis_project.kit.principal import Principal
from components.admin.asking import asking
from sessions.admin import checkpoint_cells as cells
from sessions.admin import reasons
from sessions.admin.fragments import found_by
from sessions.core.checkpoints import Effects
from sessions.models import Checkpoint, Session
from sessions.selectors import checkpoints as reading
from sessions.selectors import sessions
from sessions.services import checkpoints, forks, recovery
from sessions.services.forks import Wish
from streaming.selectors import tape

NOW = "now"
Act = Callable[[Principal, HttpRequest, UUID, str], str]


@require_GET
def show(request: HttpRequest, session_id: UUID, checkpoint: UUID) -> HttpResponse:
    """The page; reading it moves nothing and writes no event."""
    return _page(request, session_id, str(checkpoint))


def _page(
    request: HttpRequest, session_id: UUID, checkpoint: str, *, problem: AegisError | None = None
) -> HttpResponse:
    principal = asking(request)
    row = found_by(lambda: sessions.find(principal, session_id))
    found = found_by(lambda: reading.find(principal, row, checkpoint))
    context = {
        **admin.site.each_context(request),
        "title": cells.name(found),
        "is_fullwidth": "1",
        "session": row,
        "problem": problem,
        "request_id": getattr(request, "request_id", ""),
        "said": request.POST,
        **cells.held(found, now=timezone.now()),
        **_compared(request, principal, row, found),
        **_verbs(principal, row),
    }
    status = problem.status if problem else 200
    return TemplateResponse(request, "admin/aegis/checkpoint.html", context, status=status)


def _compared(
    request: HttpRequest, principal: Principal, row: Session, found: Checkpoint
) -> dict[str, Any]:
    to = request.GET.get("to", NOW)[:200]
    others = Checkpoint.objects.of_session(row.pk).exclude(pk=found.pk)[: cells.LAST]
    after = "" if to == NOW else to
    between = found_by(lambda: reading.between(principal, row, str(found.pk), after))
    return {
        "to": to,
        "others": [(str(one.pk), cells.name(one), one.seq) for one in others],
        "difference": cells.difference(between),
    }


def _verbs(principal: Principal, row: Session) -> dict[str, Any]:
    return {
        "may_control": principal.allows("sessions:control"),
        "may_fork": principal.allows("sessions:control") and principal.allows("sessions:write"),
        "is_recoverable": "recover" in row.legal(),
        "needs_reason": reasons.is_needed(row),
        "effects": [(word.value, *said) for word, said in cells.EFFECTS.items()],
        "recorded": tape.recorded(row.pk),
    }


def _act(act: Act) -> Callable[..., HttpResponse]:
    """A view that carries something out and goes where it leads; a refusal is told on the page."""

    @require_POST
    def view(request: HttpRequest, session_id: UUID, checkpoint: UUID) -> HttpResponse:
        reference = str(checkpoint)
        try:
            address = found_by(lambda: act(asking(request), request, session_id, reference))
        except AegisError as error:
            return _page(request, session_id, reference, problem=error)
        return HttpResponseRedirect(address)

    return view


def _recover(principal: Principal, request: HttpRequest, session_id: UUID, checkpoint: str) -> str:
    row = sessions.find(principal, session_id)
    reason = _text(request, "reason")[:500]
    reasons.check(row, reason)
    recovery.recover(principal=principal, session=row.pk, checkpoint=checkpoint, reason=reason)
    messages.info(request, "The session is back at the checkpoint, paused. Nothing was done twice.")
    return _session(session_id, "timeline")


def _fork(principal: Principal, request: HttpRequest, session_id: UUID, checkpoint: str) -> str:
    effects = request.POST.get("effects", Effects.RECORDED)
    if effects not in cells.EFFECTS:
        raise ValidationFailed("effects is recorded, stub or live.", field="effects")
    wish = Wish(
        key=_text(request, "key"),
        name=_text(request, "name")[:200],
        effects=Effects(effects),
        is_replay="replay" in request.POST,
    )
    made = forks.fork(principal=principal, session=session_id, checkpoint=checkpoint, wish=wish)
    messages.info(request, f"Made of the checkpoint, effects {wish.effects}. It runs when started.")
    return _session(made.session.pk, "timeline")


def _remove(principal: Principal, request: HttpRequest, session_id: UUID, checkpoint: str) -> str:
    gone = checkpoints.delete(principal=principal, session=session_id, checkpoint=checkpoint)
    messages.info(request, f"{cells.name(gone.checkpoint)} is removed. What was made of it stays.")
    return _session(session_id, "checkpoints")


@require_POST
def take(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Take a checkpoint of where the session is now, and go back to the list of them."""
    label = _text(request, "label")[:200]
    try:
        checkpoints.create(principal=asking(request), session=session_id, label=label)
    except AegisError as error:
        messages.error(request, f"{error.message} ({error.code})")
    return HttpResponseRedirect(_session(session_id, "checkpoints"))


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\x00", "").strip()


def _session(session_id: UUID, tab: str) -> str:
    address = reverse("admin:aegis_sessions_session_change", args=[session_id])
    return f"{address}?tab={tab}"


recover, fork, remove = _act(_recover), _act(_fork), _act(_remove)

ONE = "checkpoints/<uuid:checkpoint>/"
VIEWS = (
    ("checkpoints/", "checkpoint_take", take),
    (ONE, "checkpoint", show),
    (f"{ONE}recover/", "checkpoint_recover", recover),
    (f"{ONE}fork/", "checkpoint_fork", fork),
    (f"{ONE}remove/", "checkpoint_remove", remove),
)
"""Addresses beneath that of a session, their names and views."""
