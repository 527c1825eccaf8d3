"""What seed 001 prints, and what its clients see of a server."""

import json
import re
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent / "seed_001"
AGENT_SESSIONS = "/api/v1/agent-sessions"
# The only thing that is replaced in what the seed prints.
ADDRESS = "localhost:3000"
# What the specification adds to the seed's shapes.
ADDITIONS = {"aegisState", "aegisKind", "conditions", "id"}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def example(number: int) -> str:
    return (GOLDEN / f"example_{number}.txt").read_text()


def plain(value: Any) -> Any:
    """A document without additions, and with a word for each moment in the seed's format."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items() if name not in ADDITIONS}
    if isinstance(value, list):
        return [plain(one) for one in value]
    is_moment = isinstance(value, str) and TIMESTAMP.match(value)
    return "<moment>" if is_moment else value
