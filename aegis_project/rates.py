"""How often somebody may do something: sliding windows in memory, or in Valkey where there is one."""

import logging
import math
import time
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from threading import Lock

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from aegis_project import asking
from aegis_project.kit.errors import CacheUnavailable, RateLimited
from aegis_project.kit.principal import Principal
from aegis_project.kit.ratelimit import Rate, Windows

logger = logging.getLogger(__name__)

PREFIX = "aegis:rates"
# Whoever waits for a store holds a thread of the server.
PATIENCE_SECONDS = 1.0
# A store that was away is not asked again for this long.
AWAY_SECONDS = 5.0
# Of refusals that follow each other, one in so many seconds is worth an entry of the audit.
NEWS = Rate(amount=1, seconds=10)
MINUTE = 60

_here = Windows()
_turn = Lock()
_away_until = 0.0


class Counted(StrEnum):
    """What is counted; the settings are named ``AEGIS_<KIND>S_PER_MINUTE``."""

    LOGIN = "login"
    CREATE = "create"
    COMMAND = "command"
    PUBLISH = "publish"
    STREAM = "stream"

    @property
    def setting(self) -> str:
        """The name of its setting, as the environment has it in lower case."""
        return f"{self.value}{'es' if self is Counted.PUBLISH else 's'}_per_minute"


def admit(kind: Counted, principal: Principal) -> None:
    """
    Count one of a kind for a principal at its address; what Aegis itself does is not counted.

    :raises RateLimited: above the rate of its kind
    :raises CacheUnavailable: if the count of all processes is required and cannot be reached
    """
    if principal.kind == "system":
        return
    rate = Rate(getattr(settings.ENVIRONMENT, kind.setting), MINUTE)
    take(kind.value, principal.id, asking.address(), rate=rate)


def take(kind: str, *who: str, rate: Rate) -> None:
    """
    Count one of a ``kind`` for whom these names stand together, in all processes if there is Valkey.

    What is refused does not count. While Valkey is away, each process counts for itself.

    :raises RateLimited: above the rate; ``retry_after`` is in how many seconds there is room again
    :raises CacheUnavailable: if Valkey is away and ``AEGIS_RATES_REQUIRED`` says that it must count
    """
    if not rate.amount:
        return
    wait = _wait(kind, who, rate)
    if wait is not None:
        seconds = max(1, math.ceil(wait))
        raise RateLimited(
            f"That is more than {rate.amount} of this kind in {rate.seconds} s. Wait {seconds} s; "
            "an administrator may allow more.",
            retry_after=seconds,
            kind=kind,
            most=rate.amount,
        )


def is_news(error: Exception, principal: Principal) -> bool:
    """Whether a refusal is worth an entry of the audit: one of many that follow each other."""
    if not isinstance(error, RateLimited):
        return True
    with _turn:
        return _here.take((principal.id, str(error.details.get("kind"))), NEWS, _now()) is None


def _wait(kind: str, who: tuple[str, ...], rate: Rate) -> float | None:
    """Seconds until there is room; None if there was."""
    url = settings.ENVIRONMENT.redis_url
    if url and _now() >= _away_until:
        try:
            return _shared(_limiter(url), kind, who, rate)
        except StorageError:
            _gone()
    if url and settings.ENVIRONMENT.rates_required:
        raise CacheUnavailable("How often this was done cannot be told now.")
    with _turn:
        return _here.take((kind, *who), rate, _now())


def _shared(
    limiter: MovingWindowRateLimiter, kind: str, who: tuple[str, ...], rate: Rate
) -> float | None:
    item: RateLimitItem = RateLimitItemPerSecond(rate.amount, rate.seconds, namespace=PREFIX)
    if limiter.hit(item, kind, *who):
        return None
    return limiter.get_window_stats(item, kind, *who).reset_time - time.time()


def _gone() -> None:
    global _away_until  # noqa: PLW0603 -- one store, one moment
    _away_until = _now() + AWAY_SECONDS
    logger.warning("Valkey is away; each process counts for itself", extra={"action": "rates_away"})


_now: Callable[[], float] = time.monotonic


@cache
def _limiter(url: str) -> MovingWindowRateLimiter:
    patience = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    return MovingWindowRateLimiter(storage_from_string(url, wrap_exceptions=True, **patience))
