"""Every verb at every address, read from the routing tables themselves."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.urls import get_resolver
from django.urls.resolvers import URLResolver

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PLAIN = ("GET", "POST")


class Endpoint(NamedTuple):
    """A verb at an address, and the view that answers it."""

    verb: str
    address: str
    view: Any
    name: str = ""

    def __str__(self) -> str:
        return f"{self.verb} /{self.address}"

    @property
    def needs_name(self) -> bool:
        """Whether nobody without a name is let to the view."""
        found = getattr(self.view, "permission_classes", [])
        return not any(one.__name__ == "AllowAny" for one in found)


def http() -> Iterator[Endpoint]:
    """All of HTTP: the interface, the dialects, A2A, the admin and what operations asks."""
    for address, callback, name in _walk(get_resolver().url_patterns, ""):
        view = getattr(callback, "view_class", None)
        # Of a plain view nothing says which verbs it answers.
        own = [verb for verb in VERBS if hasattr(view, verb.lower())] if view else PLAIN
        for verb in own:
            yield Endpoint(verb, address, view or callback, name)


def _walk(patterns: Any, prefix: str) -> Iterator[tuple[str, Any, str]]:
    for one in patterns:
        address = f"{prefix}{one.pattern}"
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, address)
        else:
            yield address, one.callback, one.name or ""
