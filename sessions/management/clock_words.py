"""Where the clock of a session stands, as the command line says it."""

from datetime import UTC, datetime

from aegis_project.kit.moments import stamp
from sessions.core import pace
from sessions.management import output
from sessions.management.far import Document
from sessions.management.output import How


def tell(name: str, found: Document, *, key: str, how: How) -> None:
    """The clock of the session with this key in the form that was asked for."""
    sentence, identity = "  ".join(_words(found, key)), str(found["session"])
    output.show_one(how, f"session.{name}", found, identity=identity, sentence=sentence)


def _words(found: Document, key: str) -> list[str]:
    words = [output.state(found["state"]), key, f"n {found['n']}", _time(found["clock"])]
    words.append(f"speed {found['speed']:g}" if found["speed"] else "no speed limit")
    if found["achieved"] is not None:
        words.append(f"went {pace.said(found['achieved'])}")
    if found["seek_to"] is not None:
        words.append(f"to be set to {_time(found['seek_to'])}")
    if found["steps"] is not None:
        words.append(f"{found['steps']} ticks to go")
    return words


def _time(ms: int | None) -> str:
    if ms is None:
        return "not begun"
    try:
        at = datetime.fromtimestamp(ms / 1000, UTC)
    except (ValueError, OverflowError):
        return str(ms)
    return stamp(at)
