"""Signing in, and what somebody sees who failed to sign in too often."""

import math
from typing import Any

from axes.helpers import get_cool_off
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from aegis_project import rates, rest
from aegis_project.kit.errors import RateLimited
from aegis_project.kit.ratelimit import Rate
from aegis_project.rates import Counted


def peer(request: HttpRequest) -> str:
    """The address of whoever asks, as the server knows it."""
    return str(request.META.get("REMOTE_ADDR", ""))


def sign_in(request: HttpRequest) -> HttpResponse:
    """The admin's page to sign in, for an address that does not try too often."""
    if request.method == "POST":
        rate = Rate(settings.ENVIRONMENT.logins_per_minute, rates.MINUTE)
        try:
            rates.take(Counted.LOGIN.value, peer(request), rate=rate)
        except RateLimited as error:
            return wait(request, int(error.details["retry_after"]))
    return admin.site.login(request)


def locked_out(request: HttpRequest, *_: Any) -> HttpResponse:
    """Answer somebody who failed to sign in too often, and say when to come again."""
    pause = get_cool_off(request)
    return wait(request, math.ceil(pause.total_seconds()) if pause else 0)


def wait(request: HttpRequest, seconds: int) -> HttpResponse:
    """A page, or our body, that says how long nobody can sign in from there."""
    response: HttpResponse
    if rest.wants_page(request):
        minutes = math.ceil(seconds / 60)
        words = {**admin.site.each_context(request), "title": "Wait a little", "minutes": minutes}
        response = render(request, "admin/aegis/locked_out.html", words, status=429)
    else:
        error = RateLimited("There were too many attempts to sign in.", retry_after=seconds)
        response = JsonResponse(rest.body(error, rest.request_id(request)), status=429)
    response["Retry-After"] = str(seconds)
    return response
