"""How the interface describes itself: documents, parameters, credentials and errors in OpenAPI."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from drf_spectacular.drainage import set_override, warn
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction, OpenApiParameter, OpenApiResponse, extend_schema
from msgspec import Struct

F = TypeVar("F", bound=Callable[..., Any])
REFERENCE = "#/components/schemas/{name}"

# Documents of which somebody may ask for some fields only; so none of them is sure to be there.
picked: set[str] = set()

# The schema that each name stands for: a name that two documents had would describe one wrongly.
described: dict[str, dict[str, Any]] = {}


class ErrorBody(Struct):
    """What went wrong: a stable code, a sentence, particulars, the id of the request."""

    code: str
    message: str
    details: dict[str, Any]
    request_id: str


class ErrorDocument(Struct):
    """A refusal or failure."""

    error: ErrorBody


KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The first answer to this key is given again for 24 hours.",
)
VERSION = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag last seen; 412 if the session has moved on.",
)


def operation(
    name: str,
    *,
    tag: str,
    answers: Mapping[Any, Any],
    body: Any = None,
    media: str = "application/json",
    query: type[Struct] | None = None,
    parameters: list[OpenApiParameter] | None = None,
    fields: type[Struct] | None = None,
    failure: type[Struct] = ErrorDocument,
) -> Callable[[F], F]:
    """
    Describe a method of a view; its docstring is the text.

    ``body``, a struct or a type of OpenAPI, comes as ``media``. ``answers`` has documents by status, or by status and media type. ``fields`` is the document of which the parameter of that name takes some, ``failure`` what
    every refusal looks like.
    """
    asked = parameters_of(query) if query else []
    if fields is not None:
        picked.add(fields.__name__)
        asked = [_choosing(one, fields) if one.name == "fields" else one for one in asked]
    headers = [KEY] if body is not None or name.endswith(".post") else []
    describe = extend_schema(
        operation_id=name,
        tags=[tag],
        request=None if body is None else {media: body},
        responses={
            **answers,
            # In JSON, whatever the answers are.
            ("4XX", "application/json"): OpenApiResponse(failure, "Refused; the answer says why."),
            ("5XX", "application/json"): OpenApiResponse(failure, "Failed; 503 may succeed later."),
        },
        parameters=[*(parameters or []), *asked, *headers],
    )

    def named(method: F) -> F:
        found: F = describe(method)
        found.operation = name  # type: ignore[attr-defined]  # what the audit calls it
        found.body = body  # type: ignore[attr-defined]  # what a page says of it
        return found

    return named


def parameters_of(query: type[Struct]) -> list[OpenApiParameter]:
    """The parameters of an address that are read as this struct."""
    return [
        OpenApiParameter(name, schema, description=schema.pop("description", ""))
        for name, schema in components_of(query)[query.__name__]["properties"].items()
    ]


def _choosing(parameter: OpenApiParameter, document: type[Struct]) -> OpenApiParameter:
    word = f"({'|'.join(document.__struct_fields__)})"
    schema = {"type": "string", "pattern": f"^({word}(,{word})*)?$"}
    return OpenApiParameter("fields", schema, description=parameter.description)


class Documents(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Structs are documents; their docstrings and limits become the schema's."""

    target_class = "msgspec.Struct"
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        # A struct is registered by its class or, where it is a part of another, by its name.
        set_override(self.target, "suppress_collision_warning", value=True)
        for name, schema in components_of(self.target).items():
            if described.setdefault(name, schema) != schema:
                warn(f"Two documents that differ are named {name}.")
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        found = components_of(self.target)
        whole = found.pop(self.target.__name__)
        for name, schema in found.items():
            component = ResolvedComponent(  # type: ignore[no-untyped-call]
                name, ResolvedComponent.SCHEMA, schema=schema, object=name
            )
            auto_schema.registry.register_on_missing(component)
        return whole


def components_of(kind: type[Struct]) -> dict[str, dict[str, Any]]:
    """
    The schemas of a struct and the structs in it, by name.

    Words stand in their places: a session and a component both have a State, and not the same.
    """
    _, found = msgspec.json.schema_components([kind], ref_template=REFERENCE)
    words = {
        REFERENCE.format(name=name): {**schema, "type": "string"}
        for name, schema in found.items()
        if "enum" in schema
    }
    for name in found.keys() & picked:
        found[name].pop("required", None)
    return {name: _resolve(schema, words) for name, schema in found.items() if "enum" not in schema}


def _resolve(schema: Any, words: dict[str, dict[str, Any]]) -> Any:
    if isinstance(schema, list):
        return [_resolve(one, words) for one in schema]
    if not isinstance(schema, dict):
        return schema
    word = words.get(schema.get("$ref", ""))
    return word or {name: _resolve(value, words) for name, value in schema.items()}


class Bearer(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """A credential's secret."""

    target_class = "components.auth.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "aeg_…"}


class Cookie(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """A browser that signed in to the admin."""

    target_class = "components.auth.CookieAuthentication"
    name = "cookie"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class Open(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Under ``--open`` a request from this machine needs no credential."""

    target_class = "components.auth.OpenAuthentication"
    name: list[str] = []

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[Any]]:
        return {}

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return []
