"""The interface in a browser: documents, example bodies, buttons for verbs, and where it leads."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import override_method

from aegis_project import around, ways
from streaming.api import fields
from streaming.api.fields import Field

CHANGES = ("POST", "PUT", "PATCH", "DELETE")
JSON_TYPES = frozenset({"application/json", "*/*"})


@dataclass(frozen=True, slots=True)
class Change:
    """What may be sent to the address of a page: the method, a body to begin with, its fields."""

    method: str
    body: str
    fields: list[Field]
    is_json: bool


class Pages(BrowsableAPIRenderer):
    """Pages in our own look, of what our views know of themselves."""

    template = "api/page.html"

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]
    ) -> dict[str, Any]:
        view, request = renderer_context["view"], renderer_context["request"]
        response = renderer_context["response"]
        plain = view.renderer_classes[0]()
        found = ways.ways(
            view.address,
            methods=view.allowed_methods,
            address=request.build_absolute_uri(),
            values=view.kwargs,
            examples=view.examples,
        )
        socket = around.socket(view.kwargs, host=request.get_host(), is_secure=request.is_secure())
        return {
            "name": self.get_name(view),
            "description": self.get_description(view, response.status_code),
            "request": request,
            "user": request.user,
            "response": response,
            "is_refused": response.status_code >= 400,
            "headers": sorted(response.items()),
            "content": self.get_content(
                plain, data, accepted_media_type or "", dict(renderer_context)
            ),
            "breadcrumbs": self.get_breadcrumbs(request),
            "places": around.places(),
            "links": around.of_session(view.kwargs),
            "socket": socket,
            "rows": around.rows(view.address, data, view.kwargs),
            "next": _next(request, data),
            "verbs": view.verbs(data),
            "changes": [
                self._change(view, method)
                for method in CHANGES
                if self._is_offered(view, request, method)
            ],
            "words": [list(zip(view.words[0], row, strict=True)) for row in view.words[1:]],
            "ways": found,
        }

    def _is_offered(self, view: Any, request: Any, method: str) -> bool:
        with override_method(view, request, method) as asked:
            return bool(self.show_form_for_method(view, method, asked, None))

    def _change(self, view: Any, method: str) -> Change:
        handler = getattr(view, method.lower())
        kinds = {one.media_type for one in view.parser_classes}
        example = view.examples.get(method, {})
        return Change(
            method,
            json.dumps(example, indent=2, ensure_ascii=False),
            fields.of(getattr(handler, "body", None)),
            bool(kinds & JSON_TYPES),
        )


def _next(request: Any, data: Any) -> str:
    """The address of the page that follows, if this is one of several."""
    cursor = data.get("next") if isinstance(data, Mapping) else None
    if not isinstance(cursor, str) or not cursor:
        return ""
    query = request.query_params.copy()
    query["cursor"] = cursor
    return f"?{query.urlencode()}"
