"""Where a replay stood, in a form that a row can keep over a crash."""

from typing import Any

from streaming.sources.blocks import Place
from streaming.sources.clock import Mark


def write(mark: Mark, *, fingerprint: str) -> dict[str, Any]:
    """The mark as JSON data; ``fingerprint`` is that of the source it belongs to."""
    places = [
        {**place._asdict(), "ck": place.ck.hex(), "skip_ck": place.skip_ck.hex()}
        for place in mark.places
    ]
    return {"fingerprint": fingerprint, "n": mark.n, "ts": mark.ts, "places": places}


def read(value: Any, *, fingerprint: str) -> Mark | None:
    """The mark that was written, or ``None`` for anything else or for another source."""
    if not isinstance(value, dict) or value.get("fingerprint") != fingerprint:
        return None
    places = tuple(_place(place) for place in value["places"])
    # Those of earlier versions do not say when they were.
    return Mark(value["n"], places, value.get("ts", 0))


def _place(value: dict[str, Any]) -> Place:
    cks = {name: bytes.fromhex(value[name]) for name in ("ck", "skip_ck")}
    return Place(**{**value, **cks})
