"""Secrets of others at rest: texts that only this installation can read again."""

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from aegis_project.kit.errors import SecretUnreadable

# Keys for other purposes are derived from the same secret key under other names.
PURPOSE = b"aegis.sealed"


def seal(text: str) -> str:
    """The text, encrypted and authenticated with a key derived from the secret key."""
    return _fernet(settings.SECRET_KEY).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """
    The text that was sealed; nothing of it stands in the error.

    :raises SecretUnreadable: if it was sealed with another secret key, or changed since
    """
    try:
        return _fernet(settings.SECRET_KEY).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable from None


@cache
def _fernet(secret_key: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE)
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret_key.encode())))
