"""Moments as people say them at the command line."""

import re
from datetime import datetime, timedelta

from django.utils import timezone

from sessions.management.output import Misused
from streaming.api import codecs

AGO = re.compile(r"-([0-9]{1,6})(s|m|h|d)\Z")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?\Z")
FORMS = "-5m, 14:02 or 2026-11-21T14:00+01:00"


SPAN = re.compile(r"([0-9]{1,4})([hdw])\Z")
LENGTHS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def length(text: str, *, option: str) -> timedelta:
    """
    How long ``24h``, ``7d`` or ``4w`` is.

    :raises Misused: for what is no length
    """
    said = SPAN.match(text)
    if said is None:
        raise Misused(f"{option}: a range is written like 24h, 7d or 4w.")
    return int(said[1]) * LENGTHS[said[2]]


def read(text: str, *, option: str) -> datetime:
    """
    The moment that is meant by ``-5m`` (ago), ``14:02`` (today, here) or ISO 8601, in UTC.

    :raises Misused: for what is no moment
    """
    try:
        if found := AGO.match(text):
            return timezone.now() - timedelta(**{UNITS[found[2]]: int(found[1])})
        day = f"{datetime.now().astimezone():%Y-%m-%d}T" if OF_DAY.match(text) else ""
        at = datetime.fromisoformat(day + text)
        return codecs.in_utc(at.astimezone() if at.tzinfo is None else at)
    except (ValueError, OverflowError):
        raise Misused(f"{option}: {text} is no moment such as {FORMS}.") from None
