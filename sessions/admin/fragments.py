"""Pieces of a page that a script asks for."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from aegis_project.kit.errors import AegisError

View = Callable[..., HttpResponse]


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
