"""Bulk export of the session list: a capsule of each session, one after the other."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from aegis_project import marks
from sessions.admin import bulk
from sessions.models import Session


@admin.action(description="Export…", permissions=["export"])
def export(model_admin: Any, request: HttpRequest, queryset: QuerySet[Session]) -> HttpResponse:
    """The capsule of one session, or the page on which those of several are fetched."""
    rows = bulk.chosen(queryset)
    if len(rows) == 1:
        return HttpResponseRedirect(_address(rows[0]))
    context = {
        "verb": "export",
        "label": "Export",
        "rows": [(row, marks.chip(row.state, marks.SESSION), _address(row)) for row in rows],
        "environments": bulk.environments(rows),
        "states": bulk.states(rows),
        **bulk.selected(rows),
    }
    return bulk.render(model_admin, request, "bulk_export", context)


def _address(row: Session) -> str:
    return reverse("session-capsule", args=[row.pk])
