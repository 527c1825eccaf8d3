"""Pieces of a page that a script asks for, and pages of what may not be there."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from aegis_project.kit import errors
from aegis_project.kit.errors import AegisError

View = Callable[..., HttpResponse]
T = TypeVar("T")
NOT_FOUND = 404


def fragment(view: View) -> View:
    """Let a view answer a refusal as a small piece of page with code and request id."""

    @wraps(view)
    def answer(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, **kwargs)
        except AegisError as error:
            context = {"error": error, "request_id": getattr(request, "request_id", "")}
            return render(request, "admin/aegis/problem.html", context, status=error.status)

    return answer


def found_by(ask: Callable[[], T]) -> T:
    """
    What a selector or service says, with Django's pages for what is not there, or not allowed.

    :raises Http404: for what is not there
    :raises AegisError: for every other refusal
    """
    try:
        return ask()
    except errors.PermissionDenied:
        raise PermissionDenied from None
    except AegisError as error:
        if error.status == NOT_FOUND:
            raise Http404 from None
        raise
