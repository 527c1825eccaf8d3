"""What every analyzer is given and gives."""

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["summary", "statistics", "extract", "query", "transform", "visualize"]
Target = Literal["json", "csv"]

PREVIEW = 1000
"""Characters of the text that a summary shows."""
MAX_TEXT = 8 * 1024 * 1024
"""Characters of a text that are looked at."""
LONGEST = 200
"""Characters of a name, a cell or a word of metadata that are shown."""


@dataclass(frozen=True, slots=True)
class Options:
    """
    What is wanted of a file.

    ``query`` is what lines have to contain, ``most`` how many characters of content are given,
    ``to`` what tables become in a transformation.
    """

    kind: Kind = "summary"
    query: str = ""
    most: int = 10_000
    to: Target = "json"


@dataclass(slots=True)
class Table:
    """Rows of cells; ``rows`` are the first ones, ``count`` is how many there are."""

    columns: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    count: int = 0


@dataclass(slots=True)
class Found:
    """
    What an analyzer found: its own word, the format, figures, what the file says of itself.

    ``text`` is what people can read in it, ``table`` its rows, if it has any.
    """

    analyzer: str
    format: str
    content_type: str
    data: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    table: Table | None = None
    supported: bool = True


def short(value: Any) -> str:
    """A value as a text of which not more than the beginning is shown, on one line."""
    text = " ".join(str(value)[: 2 * LONGEST].split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
