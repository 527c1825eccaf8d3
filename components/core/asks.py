"""What is asked of a component that is connected, beside its tools: a sign of life, a log level."""

from enum import StrEnum

# No tool is called so: their names have no such sign.
PING = "$ping"
LOG_LEVEL = "$log_level"
LONGEST_SECONDS = 10.0


class Level(StrEnum):
    """How much of a component's log is kept, by the names that logging has for it."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
