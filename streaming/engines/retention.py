"""How much of the fast logs of a process is kept."""

from dataclasses import dataclass, field

from streaming.core.rules import Keep


@dataclass(frozen=True, slots=True)
class Retention:
    """
    What is kept of a topic for which its session has no rule, and of all together.

    ``total_bytes`` bounds the data of all logs of the process: when they pass it, the logs that
    were silent longest are emptied first. ``max_topics`` bounds the topics of one session.
    """

    default: Keep = field(default_factory=Keep)
    total_bytes: int = 512 * 1024 * 1024
    max_topics: int = 10_000
