"""The interface in a browser: documents, example bodies, buttons for verbs."""

import json
from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer

from aegis_project import ways


class Pages(BrowsableAPIRenderer):
    """REST framework's pages with what our views know of themselves."""

    template = "api/page.html"

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]
    ) -> dict[str, Any]:
        context = super().get_context(data, accepted_media_type, renderer_context)
        view, request = renderer_context["view"], renderer_context["request"]
        found = ways.ways(
            view.address,
            methods=view.allowed_methods,
            address=request.build_absolute_uri(),
            values=view.kwargs,
            examples=view.examples,
        )
        return {**context, "verbs": view.verbs(data), "ways": found}

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        form = super().get_raw_data_form(data, view, method, request)
        example = view.examples.get(method)
        if form is not None and example is not None:
            form.fields["_content"].initial = json.dumps(example, indent=2)
        return form
