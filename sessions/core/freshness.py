"""Whether what a decision rests on is still what it was when somebody was asked."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from sessions.core import matching

Known = Mapping[str, Mapping[str, Any]]
"""What is known of topics: {topic: {value, ts (unix ms), seq}}."""


class Guard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    How far one input may move before it has to be looked at again.

    ``path`` leads to a number in the newest value of ``topic`` (``{name}`` is an argument of the
    call). It may differ from what it was by ``change``, and by ``percent`` of it. ``age_seconds``
    is how old the newest value may become. Without any of the three it must stay as it was.
    """

    topic: Annotated[str, Meta(min_length=1, max_length=200)]
    path: Annotated[str, Meta(max_length=200)] = ""
    change: Annotated[float, Meta(ge=0)] | None = None
    percent: Annotated[float, Meta(ge=0)] | None = None
    age_seconds: Annotated[float, Meta(gt=0)] | None = None

    def __post_init__(self) -> None:
        if not self.path and (self.change is not None or self.percent is not None):
            raise ValueError("change and percent need the path of a number")


class Moved(Struct, frozen=True, kw_only=True):
    """An input that is not what it was: where, what it was and is, and why that counts."""

    topic: str
    path: str
    then: Any
    now: Any
    why: str


def topics(names: Iterable[str], arguments: Mapping[str, Any]) -> list[str]:
    """The topics that these templates mean for a call, each once, in their order."""
    return list(dict.fromkeys(filled(name, arguments) for name in names))


def filled(name: str, arguments: Mapping[str, Any]) -> str:
    """
    A name in which ``{argument}`` is replaced by an argument's value, a dot in it by ``_``.

    One that is nothing but an argument is a topic that the call names, dots and all.
    """
    whole = arguments.get(name[1:-1]) if name[:1] + name[-1:] == "{}" else None
    if isinstance(whole, str):
        return whole
    for key, value in arguments.items():
        if isinstance(value, str | int | float):
            name = name.replace(f"{{{key}}}", str(value).replace(".", "_"))
    return name


def moved(
    guards: Iterable[Guard],
    *,
    arguments: Mapping[str, Any],
    then: Known,
    now: Known,
    times: tuple[int, int],
) -> list[Moved]:
    """The inputs that moved too far; ``times`` are when it was asked and is decided (unix ms)."""
    found = []
    for guard in guards:
        topic = filled(guard.topic, arguments)
        why = _why(guard, then.get(topic), now.get(topic), times)
        if why:
            found.append(
                Moved(
                    topic=topic,
                    path=guard.path,
                    then=_at(then.get(topic), guard.path),
                    now=_at(now.get(topic), guard.path),
                    why=why,
                )
            )
    return found


def _why(
    guard: Guard,
    then: Mapping[str, Any] | None,
    now: Mapping[str, Any] | None,
    times: tuple[int, int],
) -> str:
    if then is None or now is None:
        # Whoever was asked without it knew that; only what was there can go.
        return "gone" if then is not None else ""
    if guard.age_seconds is not None and _is_silent(guard.age_seconds, then, now, times):
        return "silent"
    if guard.age_seconds is not None and guard.change is None and guard.percent is None:
        return ""
    return "" if _is_near(guard, _at(then, guard.path), _at(now, guard.path)) else "moved"


def _is_silent(
    seconds: float, then: Mapping[str, Any], now: Mapping[str, Any], times: tuple[int, int]
) -> bool:
    asked_at, at = times
    # Whoever was asked while it was silent saw that, and knows it still.
    is_known = asked_at - then["ts"] > seconds * 1000 and then["seq"] == now["seq"]
    return bool(at - now["ts"] > seconds * 1000) and not is_known


def _is_near(guard: Guard, then: Any, now: Any) -> bool:
    bounds = [] if guard.change is None else [guard.change]
    if matching.is_number(then) and guard.percent is not None:
        bounds.append(abs(then) * guard.percent / 100)
    if not bounds or not (matching.is_number(then) and matching.is_number(now)):
        return matching.equal(then, now)
    return bool(abs(now - then) <= min(bounds))


def _at(known: Mapping[str, Any] | None, path: str) -> Any:
    if known is None:
        return None
    return next(matching.values(known["value"], path), None) if path else known["value"]
