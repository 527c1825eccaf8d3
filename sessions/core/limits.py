"""What runs may use, and when that is used up."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from aegis_project.kit.errors import ValidationFailed
from sessions.core.errors import BudgetExceeded

DEFAULTS: dict[str, int] = {"max_steps": 50, "max_depth": 3, "max_seconds": 3600}
"""Requests to models, runs that began each other, seconds of work."""

WHOLE = frozenset({"max_steps", "max_depth", "max_seconds", "max_tokens"})
MONEY = "max_cost"
NAMES = WHOLE | {MONEY}
MOST = 10**12
WAYS_OUT = dict.fromkeys(
    ("user", "team"), " It goes on when their period begins anew, or with a higher limit."
)


@dataclass(frozen=True, slots=True)
class Used:
    """What was used: requests to models, seconds of work, tokens, US dollars."""

    steps: int = 0
    seconds: float = 0.0
    tokens: int = 0
    cost: Decimal = Decimal(0)


def check(limits: Mapping[str, Any]) -> dict[str, Any]:
    """
    Limits as they are kept: whole numbers, money as a decimal text; None takes one away.

    :raises ValidationFailed: naming the first that cannot be
    """
    for name in limits:
        if name not in NAMES:
            raise ValidationFailed(f"There is no limit {name}.", field=name, known=sorted(NAMES))
    return {name: _read(name, value) for name, value in limits.items()}


def effective(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """The limits that hold, the later layer over the earlier; unreadable ones are left out."""
    found: dict[str, Any] = dict(DEFAULTS)
    for layer in layers:
        for name in NAMES & layer.keys():
            try:
                found[name] = _read(name, layer[name])
            except ValidationFailed:
                continue
    return {name: value for name, value in found.items() if value is not None}


def totals(given: Mapping[str, Any]) -> dict[str, Any]:
    """The limits on all runs of a session together, of what its ``config.limits`` says."""
    return {name: value for name, value in effective(given).items() if name in given}


def exceeded(limits: Mapping[str, Any], used: Used) -> str | None:
    """The name of the first limit that is reached, or None while there is room for a request."""
    reached: dict[str, int | float | Decimal] = {
        "max_steps": used.steps,
        "max_seconds": used.seconds,
        "max_tokens": used.tokens,
        MONEY: used.cost,
    }
    for name, amount in reached.items():
        if name in limits and Decimal(amount) >= Decimal(limits[name]):
            return name
    return None


def require(of: str, limits: Mapping[str, Any], used: Used) -> None:
    """
    Go on only while there is room for another request.

    :raises BudgetExceeded: naming whose limit it is (``of``), which, and how much it is
    """
    name = exceeded(limits, used)
    if name is not None:
        said = f"The {of} has used its {name}.{WAYS_OUT.get(of, '')}"
        raise BudgetExceeded(said, of=of, limit=name, most=limits[name])


def deeper(depth: int, limits: Mapping[str, Any]) -> int:
    """
    How deep a run is that one of this depth begins.

    :raises BudgetExceeded: if that is deeper than the limits allow
    """
    most = effective(limits)["max_depth"]
    if depth + 1 > most:
        raise BudgetExceeded("Runs began each other too often.", of="run", limit="max_depth")
    return depth + 1


def _read(name: str, value: Any) -> Any:
    if value is None and name not in DEFAULTS:
        return None
    if name == MONEY:
        return _money(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST:
        return value
    raise ValidationFailed(f"{name} is a whole number from 0 on.", field=name)


def _money(value: Any) -> str:
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or not 0 <= amount <= MOST:
        raise ValidationFailed(f"{MONEY} is an amount of US dollars from 0 on.", field=MONEY)
    return f"{amount:f}"
