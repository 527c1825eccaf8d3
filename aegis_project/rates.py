"""How often somebody may do something: sliding windows in memory, or in Valkey where there is one."""

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from threading import Lock

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from aegis_project.kit.errors import CacheUnavailable, RateLimited

MEMORY = "memory://"
PREFIX = "aegis:rates"
# Whoever waits for a store holds a thread of the server.
PATIENCE_SECONDS = 1.0

# Many threads that begin to count at once may each be given a lock by the store in memory.
_turn = Lock()


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in any so many seconds; an ``amount`` of 0 is no limit."""

    amount: int
    seconds: int


def take(kind: str, *who: str, rate: Rate) -> None:
    """
    Count one of a ``kind`` for whom these names stand together, in all processes if there is Valkey.

    What is refused does not count.

    :raises RateLimited: above the rate; ``retry_after`` is in how many seconds there is room again
    :raises CacheUnavailable: if Valkey, which then has the count, cannot be reached
    """
    if not rate.amount:
        return
    url = settings.ENVIRONMENT.redis_url or MEMORY
    limiter = _limiter(url)
    item = RateLimitItemPerSecond(rate.amount, rate.seconds, namespace=PREFIX)
    try:
        with _turn if url == MEMORY else nullcontext():
            is_within = limiter.hit(item, kind, *who)
        wait = 0 if is_within else _seconds_left(limiter, item, kind, *who)
    except StorageError:
        raise CacheUnavailable("How often this was done cannot be told now.") from None
    if not is_within:
        raise RateLimited(retry_after=wait)


def _seconds_left(limiter: MovingWindowRateLimiter, item: RateLimitItem, *names: str) -> int:
    left = limiter.get_window_stats(item, *names).reset_time - time.time()
    return max(1, math.ceil(left))


@cache
def _limiter(url: str) -> MovingWindowRateLimiter:
    patience = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    options = {} if url == MEMORY else patience
    return MovingWindowRateLimiter(storage_from_string(url, wrap_exceptions=True, **options))
