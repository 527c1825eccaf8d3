"""The one signal: something stands in a ledger, and its transaction is committed."""

from dataclasses import dataclass
from typing import Any

from django.dispatch import Signal


@dataclass(frozen=True, slots=True)
class Published:
    """
    An event as its receivers see it.

    ``rest`` is how many more of its type were told together with it, and come after it.
    """

    session_id: str
    seq: int
    type: str
    data: dict[str, Any]
    rest: int = 0


published = Signal()
