"""The filters of sessions in OpenAPI."""

from drf_spectacular.utils import OpenApiParameter

from sessions.api.filters import SessionFilter

PARAMETERS = [
    OpenApiParameter(name, str, description=found.extra["help_text"])
    for name, found in SessionFilter.base_filters.items()
]
