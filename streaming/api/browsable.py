"""The interface in a browser: documents, example bodies, buttons for verbs."""

import json
from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer


class Pages(BrowsableAPIRenderer):
    """REST framework's pages with what our views know of themselves."""

    template = "api/page.html"

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]
    ) -> dict[str, Any]:
        context = super().get_context(data, accepted_media_type, renderer_context)
        return {**context, "verbs": renderer_context["view"].verbs(data)}

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        form = super().get_raw_data_form(data, view, method, request)
        example = view.examples.get(method)
        if form is not None and example is not None:
            form.fields["_content"].initial = json.dumps(example, indent=2)
        return form
