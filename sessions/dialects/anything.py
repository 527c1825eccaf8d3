"""Bodies that are JSON whatever their type says, as the seeds' own curl lines send them."""

from typing import Any, cast

from django.conf import settings
from rest_framework.parsers import BaseParser
from rest_framework.settings import api_settings

from aegis_project.kit import strict
from aegis_project.kit.errors import PermissionDenied
from components.auth import is_same_origin
from streaming.api.base import MAX_BODY, Endpoint


class Whatever(BaseParser):
    """Any type: where others look for a form, they find none; the view reads the body itself."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return {}


# Settings hold names; by now they are classes.
PARSER = cast(type[BaseParser], api_settings.DEFAULT_PARSER_CLASSES[0])


class AnyBody(Endpoint):
    """An address that takes its body for JSON, from programs and from pages of ours."""

    parser_classes = [PARSER, Whatever]

    def sent(self) -> Any:
        """
        The decoded body; nothing at all counts as an empty object.

        :raises PermissionDenied: for a page from elsewhere
        :raises ValidationFailed: for what is not JSON
        """
        self.refuse_other_origin()
        raw = self.raw()
        return strict.decode(raw, max_bytes=MAX_BODY) if raw.strip() else {}

    def refuse_other_origin(self) -> None:
        """
        Go on only for programs, pages of ours, and pages that an administrator named.

        The body is taken whatever its type, so a browser asks nobody before it sends one.

        :raises PermissionDenied: for a page from elsewhere
        """
        origin = self.request.headers.get("Origin", "")
        named = settings.ENVIRONMENT.cors_origins.split(",")
        if origin in named or is_same_origin(origin, self.request.get_host()):
            return
        raise PermissionDenied("This origin may not send commands.")
