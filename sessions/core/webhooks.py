"""What is sent to webhooks: which events, signed how, and again when."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from aegis_project.kit.errors import ValidationFailed
from sessions.core import matching

PREFIX = "whsec_"
SECRET_BYTES = 32
MOST_PATTERNS, LONGEST_PATTERN, LONGEST_URL = 50, 64, 500

# Seconds between an attempt that failed and the next one; after the last it is given up.
WAITS = (5, 30, 120, 600, 1800, 7200, 21_600, 43_200)
JITTER = 0.2
GONE = 410


def hears(patterns: Iterable[str], type_: str) -> bool:
    """Whether a webhook of these patterns hears of such an event; ``*`` is any text."""
    return any(matching.like(type_, pattern) for pattern in patterns)


def check_patterns(patterns: Sequence[str], known: Iterable[str]) -> None:
    """
    Go on only with patterns of which each means at least one type of event.

    :raises ValidationFailed: otherwise, naming those that mean none
    """
    types = list(known)
    nothing = [one for one in patterns if not any(matching.like(type_, one) for type_ in types)]
    if not patterns or len(patterns) > MOST_PATTERNS or nothing:
        raise ValidationFailed(
            "events are types of events or patterns of them, as approval.* is.",
            fields=["events"],
            unknown=[one[:LONGEST_PATTERN] for one in nothing[:MOST_PATTERNS]],
        )


def check_url(url: str) -> None:
    """
    Go on only with an address of http or https that holds no credentials.

    :raises ValidationFailed: otherwise
    """
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_bare = parts.username is None and parts.password is None
        # A port that is none is found only when it is asked for.
        is_whole = is_one and is_bare and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or len(url) > LONGEST_URL or not url.isascii() or not url.isprintable():
        raise ValidationFailed("url is an http or https address.", fields=["url"])


def secret_of(key: bytes) -> str:
    """How a key of a webhook is written, once, for whoever receives."""
    return PREFIX + base64.b64encode(key).decode()


def signature(secret: str, *, id_: str, timestamp: int, body: bytes) -> str:
    """
    The signature of a delivery, as Standard Webhooks writes it: ``v1,`` and base64.

    It is an HMAC-SHA256 of the id, the time (unix seconds) and the body, with dots between.
    """
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.new(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed.digest()).decode()


def is_taken(status: int) -> bool:
    """Whether the receiver took a delivery."""
    return 200 <= status < 300


def wait_seconds(attempts: int, *, chance: float) -> float | None:
    """
    How long to wait after so many attempts that failed; None to give up.

    ``chance``, from 0 to 1, spreads what failed together.
    """
    if attempts > len(WAITS):
        return None
    return WAITS[attempts - 1] * (1 - JITTER + 2 * JITTER * chance)
