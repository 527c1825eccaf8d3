"""Secrets of others at rest: texts that only this installation can read again."""

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from aegis_project.kit.errors import SecretUnreadable

# Keys for other purposes are derived from the same secret key under other names.
PURPOSE = b"aegis.sealed"


def seal(text: str) -> str:
    """The text, encrypted and authenticated with a key derived from the secret key."""
    return _box(*_keys()).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """
    The text that was sealed, also with a former secret key; nothing of it stands in the error.

    :raises SecretUnreadable: if it was sealed with another secret key, or changed since
    """
    try:
        return _box(*_keys()).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable from None


def is_current(sealed: str) -> bool:
    """Whether the secret key of now opens it, without any former one."""
    try:
        _box(settings.SECRET_KEY).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def _keys() -> tuple[str, ...]:
    return settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS


@cache
def _box(*secret_keys: str) -> MultiFernet:
    return MultiFernet([_fernet(one) for one in secret_keys])


def _fernet(secret_key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE)
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret_key.encode())))
