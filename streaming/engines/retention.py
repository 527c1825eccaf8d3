"""How much of a fast log is kept."""

from dataclasses import dataclass

from streaming.core import topics


@dataclass(frozen=True, slots=True)
class Keep:
    """The newest records are kept within all three bounds; ``bytes`` counts their data."""

    records: int = 10_000
    bytes: int = 16 * 1024 * 1024
    age_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Retention:
    """
    What is kept by topic pattern, the first that matches; ``default`` for all others.

    ``total_bytes`` bounds the data of all logs of the process: when they pass it, the logs that
    were silent longest are emptied first. ``max_topics`` bounds the topics of one session.
    """

    rules: tuple[tuple[str, Keep], ...] = ()
    default: Keep = Keep()
    total_bytes: int = 512 * 1024 * 1024
    max_topics: int = 10_000

    def of(self, name: str) -> Keep:
        """What is kept of the topic ``name``."""
        return next(
            (keep for pattern, keep in self.rules if topics.matches(pattern, name)), self.default
        )
