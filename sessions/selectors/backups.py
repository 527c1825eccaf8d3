"""What a backup of the instance holds: the rows of all tables as JSON, the same on every database."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import BinaryField, DecimalField, Field, Model

from sessions.core import tool_calls
from sessions.models import Artifact, Attachment

# Made by migrations, or of the moment: who is signed in at a browser, who tried to sign in, what a
# server that runs says of itself.
LEFT_OUT = frozenset(
    {
        "contenttypes.contenttype",
        "auth.permission",
        "sessions.session",
        "axes.accessfailurelog",
        "axes.accessattempt",
        "axes.accessattemptexpiration",
        "axes.accesslog",
        "aegis_streaming.report",
        "aegis_streaming.strain",
    }
)
CHUNK = 500
Row = dict[str, Any]


@cache
def models() -> tuple[type[Model], ...]:
    """Every kind of rows that a backup has, by name."""
    every = apps.get_models(include_auto_created=True)
    kept = [
        one
        for one in every
        if one._meta.managed and not one._meta.proxy and one._meta.label_lower not in LEFT_OUT
    ]
    return tuple(sorted(kept, key=lambda one: one._meta.label_lower))


def member(model: type[Model]) -> str:
    """What the rows of a table are called in a backup."""
    return f"tables/{model._meta.label_lower}.ndjson"


def lines(model: type[Model]) -> Iterator[bytes]:
    """The rows of a table by their keys."""
    fields = model._meta.concrete_fields
    words = {one.attname: words_of(one) for one in fields}
    for row in model._base_manager.order_by("pk").iterator(chunk_size=CHUNK):
        yield tool_calls.canonical(
            {
                one.attname: _shown(one, getattr(row, one.attname), words[one.attname])
                for one in fields
            }
        )


def words_of(field: "Field[Any, Any]") -> dict[Any, str] | None:
    """The names of rows that migrations make, each under another key on each database."""
    if field.related_model is ContentType:
        return {one.pk: f"{one.app_label}.{one.model}" for one in ContentType.objects.all()}
    if field.related_model is Permission:
        rows = Permission.objects.values_list(
            "pk", "content_type__app_label", "content_type__model", "codename"
        )
        return {pk: f"{label}.{model}.{codename}" for pk, label, model, codename in rows}
    return None


def _shown(field: "Field[Any, Any]", value: Any, words: dict[Any, str] | None) -> Any:
    if value is None:
        return None
    if words is not None:
        return words[value]
    if isinstance(field, BinaryField):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(field, DecimalField):
        return f"{Decimal(value):.{field.decimal_places}f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, UUID) else value


def files() -> Iterator[tuple[str, str]]:
    """The files of all sessions: where they are in the storage, and their SHA-256."""
    for model in (Attachment, Artifact):
        yield from model.objects.order_by("path").values_list("path", "sha256").iterator()


def migrations() -> list[str]:
    """The migrations that made the tables."""
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{label}.{name}" for label, name in applied)
