"""The shapes that seed 000 shows, and where an answer departs from them."""

import json
import re
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "seed_000"
# What the specification adds to the seed's shapes.
ADDITIONS = {"aegis_state", "conditions", "id", "session_token"}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z\Z")
# Names, and the words of states, are as the test made them.
FREE = {"name", "mode", "state", "previous_state", "current_state", "message", "session_id"}


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def differences(wanted: Any, found: Any, place: str = "") -> list[str]:
    """Where an answer departs from the seed's shape."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return _members(wanted, found, place)
    if isinstance(wanted, list) and isinstance(found, list):
        pattern = wanted[0]
        return [line for one in found for line in differences(pattern, one, f"{place}[]")]
    return [] if _is_alike(wanted, found, place) else [f"{place}: {found!r} for {wanted!r}"]


def _members(wanted: dict[str, Any], found: dict[str, Any], place: str) -> list[str]:
    lines = [f"{place}.{name} is missing" for name in wanted.keys() - found.keys()]
    lines += [f"{place}.{name} is new" for name in found.keys() - wanted.keys() - ADDITIONS]
    for name in wanted.keys() & found.keys():
        lines += differences(wanted[name], found[name], f"{place}.{name}")
    return lines


def _is_alike(wanted: Any, found: Any, place: str) -> bool:
    if wanted == "<timestamp>":
        return isinstance(found, str) and bool(TIMESTAMP.match(found))
    is_free = place.rpartition(".")[2] in FREE or "<" in str(wanted)
    if is_free or isinstance(wanted, int):
        return type(found) is type(wanted)
    return bool(wanted == found)
