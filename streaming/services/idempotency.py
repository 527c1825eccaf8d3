"""Carrying a request out once, and answering it again with the same answer."""

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from aegis_project import database
from aegis_project.kit.errors import (
    IdempotencyMismatch,
    RateLimited,
    ServiceUnavailable,
    ValidationFailed,
)
from aegis_project.kit.principal import Principal
from streaming import hints
from streaming.models import IdempotencyKey

KEPT = timedelta(hours=24)
PENDING = 0
ABANDONED = timedelta(minutes=2)
PATIENCE_SECONDS = 65.0
SLICE = 1000
MAX_LENGTH = 255


class Answer(NamedTuple):
    """What was answered: an HTTP status, a body to render, headers."""

    status: int
    data: Any
    headers: dict[str, str]

    @property
    def is_final(self) -> bool:
        """Whether the same request would be answered so again; failures of ours may pass."""
        return self.status < 500 and self.status != RateLimited.status


def once(*, principal: Principal, digest: str, act: Callable[[], Answer]) -> tuple[Answer, bool]:
    """
    The answer of ``act``, or the one that the principal's key had before; and whether it had.

    The key, what ``act`` writes and the answer are one transaction: whoever comes with the same
    key meanwhile waits for its end, and a crash leaves nothing of it. ``digest`` tells requests
    apart.

    :raises ValidationFailed: for a key that cannot be
    :raises IdempotencyMismatch: if the key was used with another digest
    """
    with database.atomic():
        row, is_new = _claim(principal, digest)
        if not is_new:
            return _replay(row, principal, digest), True
        answer = act()
        _keep(row, principal, answer)
    return answer, False


def alone(*, principal: Principal, digest: str, act: Callable[[], Answer]) -> tuple[Answer, bool]:
    """
    The same for an ``act`` that cannot be inside a transaction, because it waits for others.

    Whoever comes with the same key meanwhile waits for the answer. If this process dies before
    there is one, the key is free again after two minutes, and what was done may be done again.

    :raises ValidationFailed: for a key that cannot be
    :raises IdempotencyMismatch: if the key was used with another digest
    :raises ServiceUnavailable: if the first with this key takes too long
    """
    row, is_new = _claim(principal, digest)
    while not is_new:
        _refuse_other(row, digest)
        found = _answered(row)
        if found is not None:
            return _replay(found, principal, digest), True
        row, is_new = _claim(principal, digest)
    try:
        answer = act()
    except BaseException:
        row.delete()
        raise
    with database.atomic():
        _keep(row, principal, answer)
    return answer, False


def forget() -> int:
    """Remove some of what is older than 24 hours; returns how many keys."""
    can_skip = connection.features.has_select_for_update_skip_locked
    with database.atomic():
        old = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT).order_by("pk")
        # Another process that does the same meanwhile takes others.
        mine = list(
            old.select_for_update(skip_locked=can_skip).values_list("pk", flat=True)[:SLICE]
        )
        return IdempotencyKey.objects.filter(pk__in=mine).delete()[0]


def digest_of(*parts: bytes) -> str:
    """A digest of a request's method, address and body in hex."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def name_of(key: str) -> str:
    """
    What is stored of a key: a hash.

    :raises ValidationFailed: for a key that cannot be
    """
    if not 0 < len(key) <= MAX_LENGTH or not key.isascii() or not key.isprintable():
        raise ValidationFailed("An idempotency key has 1 to 255 printable ASCII characters.")
    return hashlib.sha256(key.encode()).hexdigest()


def _claim(principal: Principal, digest: str) -> tuple[IdempotencyKey, bool]:
    name, now = name_of(principal.idempotency_key), timezone.now()
    with database.atomic():
        mine = IdempotencyKey.objects.filter(principal_id=principal.id, key=name)
        is_old = Q(created_at__lt=now - KEPT)
        mine.filter(is_old | Q(status=PENDING, created_at__lt=now - ABANDONED)).delete()
        return IdempotencyKey.objects.get_or_create(
            principal_id=principal.id, key=name, defaults={"digest": digest, "status": PENDING}
        )


def _answered(row: IdempotencyKey) -> IdempotencyKey | None:
    """The row once it is answered; None if that came to nothing and the key is free again."""
    same = IdempotencyKey.objects.filter(pk=row.pk)
    if not hints.wait_until(
        lambda: not same.filter(status=PENDING).exists(), timeout_seconds=PATIENCE_SECONDS
    ):
        raise ServiceUnavailable("The first request with this key is still being answered.")
    return same.first()


def _replay(row: IdempotencyKey, principal: Principal, digest: str) -> Answer:
    _refuse_other(row, digest)
    try:
        content = _box(principal.idempotency_key).decrypt(row.body)
    except InvalidToken:
        raise IdempotencyMismatch("The server's key changed since this key was used.") from None
    data, headers = orjson.loads(content)
    return Answer(row.status, data, headers)


def _refuse_other(row: IdempotencyKey, digest: str) -> None:
    if row.digest != digest:
        raise IdempotencyMismatch


def _keep(row: IdempotencyKey, principal: Principal, answer: Answer) -> None:
    if not answer.is_final:
        row.delete()
        return
    content = orjson.dumps([answer.data, answer.headers], default=str, option=orjson.OPT_UTC_Z)
    row.status = answer.status
    row.body = _box(principal.idempotency_key).encrypt(content).decode()
    row.save(update_fields=["status", "body"])


def _box(key: str) -> MultiFernet:
    # An answer may hold a secret that is shown once. It is sealed with the caller's own key, of
    # which only a hash is stored, so that reading the table opens nothing.
    ours = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    secrets = (hashlib.sha256(f"{one}\x00{key}".encode()).digest() for one in ours)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(secret)) for secret in secrets])
