"""The page of a file that was made in a session: what is in it, its versions, links to it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from aegis_project import marks
from aegis_project.kit.errors import AegisError, ValidationFailed
from aegis_project.kit.principal import Principal
from components.admin.asking import asking
from sessions.admin import artifact_cells as cells
from sessions.admin.events import pretty
from sessions.admin.fragments import found_by
from sessions.core.links import Kind
from sessions.files import analyzing
from sessions.files.analyzers.base import Options
from sessions.models import Artifact
from sessions.selectors import artifacts as reading
from sessions.selectors import history
from sessions.services import artifacts, links

VERSIONS = 50
# What a link may hold for, in seconds, and how that is said.
PERIODS = {"600": "10 minutes", "3600": "1 hour", "86400": "1 day"}
NAME_LONGEST = 255


@require_GET
def show(request: HttpRequest, session_id: UUID, artifact: UUID) -> HttpResponse:
    """The page of one version; with ``analysis`` what an analyzer says of it."""
    return _page(request, session_id, artifact)


def _page(request: HttpRequest, session_id: UUID, artifact: UUID, **more: Any) -> HttpResponse:
    principal = asking(request)
    session = found_by(lambda: history.readable(principal, str(session_id)))
    row = found_by(lambda: reading.find(session.pk, artifact))
    now = timezone.now()
    context = {
        **admin.site.each_context(request),
        "title": row.name,
        "is_fullwidth": "1",
        "session": session,
        "may_write": principal.allows("messages:write"),
        "preview": cells.preview(row),
        "versions": _versions(row),
        "periods": PERIODS,
        "analysis": _analyzed(row) if "analysis" in request.GET else None,
        **cells.described(row, now=now),
        **more,
    }
    return TemplateResponse(request, "admin/aegis/artifact.html", context)


def _versions(row: Artifact) -> list[dict[str, Any]]:
    now = timezone.now()
    found = reading.versions(row.session_id, row.name).select_related("run")[:VERSIONS]
    return [cells.described(one, now=now) for one in found]


def _analyzed(row: Artifact) -> dict[str, Any]:
    try:
        found = analyzing.analyze(reading.content(row), Options(kind="summary"))
    except AegisError as error:
        return {"error": error.as_dict()}
    figures = {**found["data"], **found["metadata"]}
    return {**found, "figures": pretty(figures) if figures else ""}


@require_POST
def upload(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Write a file, under its own name or the one that was typed."""
    address = reverse("admin:aegis_sessions_session_change", args=[session_id])
    try:
        made = found_by(lambda: _written(asking(request), session_id, request))
    except AegisError as error:
        messages.error(request, f"{error.message} ({error.code})")
        return HttpResponseRedirect(f"{address}?tab=artifacts")
    messages.info(request, f"{made.name} is version {made.version}.")
    return HttpResponseRedirect(cells.address(made))


def _written(principal: Principal, session_id: UUID, request: HttpRequest) -> Artifact:
    file = request.FILES.get("file")
    principal.require("messages:write")
    if file is None:
        raise ValidationFailed("Choose a file first.", fields=["file"])
    name = request.POST.get("name", "").strip()[: NAME_LONGEST + 1] or file.name or ""
    if (file.size or 0) > artifacts.MAX_BYTES:
        raise ValidationFailed("A file that is written here has at most 10 MiB.", fields=["file"])
    made: Artifact = artifacts.create(
        principal=principal, session=session_id, name=name, content=file.read()
    )
    return made


def _act(act: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view that carries something out; a refusal is told on the page of the file."""

    @require_POST
    def view(request: HttpRequest, session_id: UUID, artifact: UUID) -> HttpResponse:
        try:
            return found_by(lambda: act(request, session_id, artifact))
        except AegisError as error:
            messages.error(request, f"{error.message} ({error.code})")
            return HttpResponseRedirect(_address(session_id, artifact))

    return view


def _link(request: HttpRequest, session_id: UUID, artifact: UUID) -> HttpResponse:
    seconds = request.POST.get("seconds", "3600")
    made = links.issue(
        principal=asking(request),
        session=session_id,
        kind=Kind.ARTIFACT,
        file=artifact,
        seconds=int(seconds) if seconds in PERIODS else 0,
    )
    url = request.build_absolute_uri(f"/api/v1/files/{made.link}")
    until = marks.clock(made.expires_at, now=timezone.now())
    return _page(request, session_id, artifact, link=url, until=until)


def _withdraw(request: HttpRequest, session_id: UUID, artifact: UUID) -> HttpResponse:
    links.withdraw(principal=asking(request), session=session_id, kind=Kind.ARTIFACT, file=artifact)
    messages.info(request, "The links that were given to it lead nowhere any more.")
    return HttpResponseRedirect(_address(session_id, artifact))


def _remove(request: HttpRequest, session_id: UUID, artifact: UUID) -> HttpResponse:
    gone: Artifact = artifacts.delete(
        principal=asking(request), session=session_id, artifact=artifact
    )
    messages.info(request, f"Version {gone.version} of {gone.name} is removed.")
    address = reverse("admin:aegis_sessions_session_change", args=[session_id])
    return HttpResponseRedirect(f"{address}?tab=artifacts")


def _address(session_id: UUID, artifact: UUID) -> str:
    return reverse("admin:aegis_sessions_session_artifact", args=[session_id, artifact])


link, withdraw, remove = _act(_link), _act(_withdraw), _act(_remove)

ONE = "artifacts/<uuid:artifact>/"
VIEWS = (
    ("artifacts/", "artifact_upload", upload),
    (ONE, "artifact", show),
    (f"{ONE}link/", "artifact_link", link),
    (f"{ONE}withdraw/", "artifact_withdraw", withdraw),
    (f"{ONE}remove/", "artifact_remove", remove),
)
"""Addresses beneath that of a session, their names and views."""
