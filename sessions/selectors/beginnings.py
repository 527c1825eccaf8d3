"""
Ids by their beginnings, as tables show them on a terminal.

What is no beginning of one stays as it is, also where the principal may not look: the command
that it is for refuses it then, and the audit has that. Each raises :exc:`AmbiguousReference` if
several ids begin so.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db.models import QuerySet

from aegis_project.kit.errors import PermissionDenied
from aegis_project.kit.principal import Principal
from sessions.core import keys
from sessions.core.errors import ArtifactNotFound, WebhookNotFound
from sessions.models import Artifact, Checkpoint, Message, Session
from sessions.selectors import approvals, artifacts, bookmarks, policies, runs, triggers, webhooks


def approval(principal: Principal, reference: str) -> str:
    """Of the approvals that the principal sees."""
    return _whole(lambda: approvals.visible(principal), reference)


def run(principal: Principal, reference: str) -> str:
    """Of the runs that the principal sees."""
    return _whole(lambda: runs.visible(principal), reference)


def bookmark(principal: Principal, reference: str) -> str:
    """Of the bookmarks that the principal may read."""
    return _whole(lambda: bookmarks.readable(principal), reference)


def trigger(principal: Principal, reference: str) -> str:
    """Of the triggers that the principal may read."""
    return _whole(lambda: triggers.readable(principal), reference)


def webhook(principal: Principal, reference: str) -> str:
    """Of the webhooks that the principal may read."""
    return _whole(lambda: webhooks.readable(principal), reference)


def grant(principal: Principal, reference: str) -> str:
    """Of the rules made from decisions that the principal may read."""
    return _whole(lambda: policies.grants(principal), reference)


def delivery(principal: Principal, webhook: str, reference: str) -> str:
    """Of what was sent to a webhook that the principal may read."""
    with suppress(WebhookNotFound):
        return _whole(lambda: webhooks.deliveries(webhooks.find(principal, webhook)), reference)
    return reference


def message(session: Session, reference: str) -> str:
    """Of the messages of a session."""
    return _whole(lambda: Message.objects.filter(session_id=session.pk), reference)


def checkpoint(session: Session, reference: str) -> str:
    """Of the checkpoints of a session; a label may look like the beginning of an id, and counts."""
    rows = Checkpoint.objects.of_session(session.pk)
    if keys.span(reference) is None or rows.filter(label=reference).exists():
        return reference
    return _whole(lambda: rows, reference)


def artifact(
    principal: Principal, session: Session, reference: str, *, version: int | None = None
) -> str:
    """
    Of the files of a session, also by name: in this version or the newest.

    An id says by itself which version it is, and is none of a version that is asked for.
    """
    if not principal.allows("messages:read"):
        return reference
    if version is None:
        one = _whole(lambda: Artifact.objects.filter(session_id=session.pk), reference)
        if keys.as_uuid(one) is not None:
            return one
    with suppress(ArtifactNotFound):
        return str(artifacts.named(session.pk, reference, version=version).pk)
    return reference if version is None else f"{reference} version {version}"


def _whole(rows: Callable[[], QuerySet[Any]], reference: str) -> str:
    span = keys.span(reference)
    if span is None:
        return reference
    with suppress(PermissionDenied):
        found = rows().filter(pk__gte=span[0], pk__lte=span[1]).order_by("pk")
        return keys.only(map(str, found.values_list("pk", flat=True)[:2]), reference)
    return reference
