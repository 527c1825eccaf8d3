"""How a historical session is replayed, as its ``config.source`` says beside what it reads."""

from typing import Any

from aegis_project.kit.errors import ValidationFailed

SLOWEST, FASTEST = 0.25, 100
READ = frozenset({"layout", "dataset", "session", "topics", "from", "to", "open"})
DRIVEN = frozenset({"speed", "loop", "lockstep"})
EVERY_TOPIC = ["**"]


def read(value: Any) -> dict[str, Any]:
    """
    The source that a client describes, with every topic of the dataset when it names none.

    :raises ValidationFailed: for another value than an object, fields that are not known, or a
        ``loop`` or ``lockstep`` that is neither true nor false
    """
    if not isinstance(value, dict):
        raise ValidationFailed("source must be an object.", field="source")
    unknown = sorted(set(value) - READ - DRIVEN)
    if unknown:
        raise ValidationFailed("The source has unknown fields.", fields=unknown)
    for name in ("loop", "lockstep"):
        if not isinstance(value.get(name, False), bool):
            raise ValidationFailed(f"source.{name} is true or false.", field=f"source.{name}")
    return {"topics": EVERY_TOPIC, **value}


def read_speed(source: dict[str, Any]) -> float:
    """
    How many times real time; 0 is as fast as every running component takes it.

    :raises ValidationFailed: for anything but 0 and 0.25 to 100
    """
    return check_speed(source.get("speed", 0))


def check_speed(speed: Any) -> float:
    """
    A speed: 0, or how many times real time.

    :raises ValidationFailed: for anything but 0 and 0.25 to 100
    """
    is_number = isinstance(speed, int | float) and not isinstance(speed, bool)
    if not is_number or not (speed == 0 or SLOWEST <= speed <= FASTEST):
        raise ValidationFailed(
            f"source.speed must be 0 or from {SLOWEST} to {FASTEST}.", field="source.speed"
        )
    return float(speed)
