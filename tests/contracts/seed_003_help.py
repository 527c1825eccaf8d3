"""The shapes that seed 003 shows, and what an answer is beside them."""

import json
import re
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "seed_003"
# What the specification adds to the seed's shapes.
ADDITIONS = {"aegisState", "conditions"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def plain(value: Any) -> Any:
    """An answer without additions, and with words for what is another each time."""
    if isinstance(value, dict):
        return {plain(name): plain(one) for name, one in value.items() if name not in ADDITIONS}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, str):
        value = "<uuid>" if UUID.match(value) else value
        return "<timestamp>" if TIMESTAMP.match(value) else value
    return value
