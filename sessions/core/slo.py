"""What a load test measured, and the limits that it had to keep."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aegis_project.kit.errors import ValidationFailed

SHARES = {"lag_p50": 0.5, "lag_p95": 0.95, "lag_p99": 0.99, "lag_max": 1.0}
LIMIT = re.compile(r"(?P<name>[a-z0-9_]+)=(?P<value>[0-9]{1,9}(?:\.[0-9]{1,6})?)(?P<unit>ms|s|)\Z")


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that a figure may be; lags are seconds, ``missing`` is a count."""

    name: str
    most: float

    def is_met(self, figures: Mapping[str, float | None]) -> bool:
        """Whether the figure was measured, and is not above."""
        found = figures[self.name]
        return found is not None and found <= self.most


def read(text: str) -> Limit:
    """
    The limit in ``lag_p95=250ms``, ``lag_max=1s`` or ``missing=0``.

    :raises ValidationFailed: for what is none
    """
    found = LIMIT.match(text)
    is_lag = found is not None and found["name"] in SHARES and found["unit"] != ""
    is_count = found is not None and found["name"] == "missing" and found["unit"] == ""
    if found is None or not (is_lag or is_count):
        names = ", ".join(SHARES)
        raise ValidationFailed(f"{text} is no limit such as lag_p95=250ms ({names}) or missing=0.")
    return Limit(found["name"], float(found["value"]) / (1000 if found["unit"] == "ms" else 1))


def figures(lags: Sequence[float], *, missing: int) -> dict[str, float | None]:
    """Shares of the lags by name, none where nothing came, and how many are missing."""
    ordered = sorted(lags)
    shares = {
        name: ordered[math.ceil(share * len(ordered)) - 1] if ordered else None
        for name, share in SHARES.items()
    }
    return {**shares, "missing": float(missing)}
