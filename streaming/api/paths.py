"""Addresses that answer with and without a trailing slash."""

from typing import Any

from django.urls import URLPattern
from django.urls.resolvers import RoutePattern
from rest_framework.views import APIView


class Address(RoutePattern):
    """A route whose last slash may be there or not; neither form is redirected to the other."""

    def match(self, path: str) -> tuple[str, tuple[Any, ...], dict[str, int | str]] | None:
        return super().match(path.removesuffix("/"))


def route(address: str, view: type[APIView], *, name: str) -> URLPattern:
    """What ``path`` makes, for an address that is written here without its last slash."""
    pattern = Address(address, name=name, is_endpoint=True)
    return URLPattern(pattern, view.as_view(), None, name)
