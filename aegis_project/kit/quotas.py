"""What a team may have at once and use in a day, as a setting says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aegis_project.kit import entries


class Quota(StrEnum):
    """What is counted for a team; a day begins at midnight UTC."""

    OPEN_SESSIONS = "open_sessions"
    STORED_BYTES = "stored_bytes"
    RUNS_PER_DAY = "runs_per_day"
    TOKENS_PER_DAY = "tokens_per_day"


@dataclass(frozen=True, slots=True)
class Quotas:
    """The limits on every team, and those of some teams, which stand in their place."""

    every: Mapping[Quota, int]
    own: Mapping[str, Mapping[Quota, int]]

    def of(self, team: str) -> dict[Quota, int]:
        """The limits on a team, by its name; what is not among them has none."""
        found = {**self.every, **self.own.get(team, {})}
        return {quota: most for quota, most in found.items() if most}

    def limits(self, quota: Quota) -> bool:
        """Whether any team has this limit."""
        return any(some.get(quota) for some in (self.every, *self.own.values()))


def parse(text: str) -> Quotas:
    """
    Read ``open_sessions=100,desk:open_sessions=500``: for every team, and for the team desk.

    An amount of 0 is no limit.

    :raises ValueError: for what is no quota, or no amount
    """
    every: dict[Quota, int] = {}
    own: dict[str, dict[Quota, int]] = {}
    for name, amount in entries.pairs(text, of="amount"):
        team, _, word = name.rpartition(":")
        if word not in Quota.__members__.values():
            raise ValueError(f"{word!r} is no quota; there are {', '.join(Quota)}")
        if not (amount.isascii() and amount.isdigit()):
            raise ValueError(f"{amount!r} is no amount of {word}")
        (own.setdefault(team, {}) if team else every)[Quota(word)] = int(amount)
    return Quotas(every, own)
