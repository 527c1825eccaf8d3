"""A conversation as a file: JSON with everything, Markdown and plain text for people."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

Entry = Mapping[str, Any]
"""A message as the interface shows it, times as text."""


class Format(Protocol):
    """A kind of file; messages come in order, each once."""

    content_type: str
    suffix: str

    def begin(self, session: Mapping[str, str]) -> str:
        """What stands before all messages."""

    def lines(self, entries: Iterable[Entry]) -> str:
        """These messages."""

    def end(self) -> str:
        """What stands behind all messages."""


class Json:
    """One document: the session, and its messages as the interface shows them."""

    content_type = "application/json"
    suffix = "json"

    def __init__(self) -> None:
        self._sign = ""

    def begin(self, session: Mapping[str, str]) -> str:
        return f'{{"schema":"aegis.conversation/1","session":{_dump(session)},"messages":['

    def lines(self, entries: Iterable[Entry]) -> str:
        written = []
        for entry in entries:
            written.append(f"{self._sign}\n{_dump(entry)}")
            self._sign = ","
        return "".join(written)

    def end(self) -> str:
        return "\n]}\n"


class Markdown:
    """A heading for each message; below it its text as it was said."""

    content_type = "text/markdown; charset=utf-8"
    suffix = "md"

    def begin(self, session: Mapping[str, str]) -> str:
        return f"# {_line(session['name'] or session['key'])}\n"

    def lines(self, entries: Iterable[Entry]) -> str:
        return "".join(map(self._message, entries))

    def end(self) -> str:
        return ""

    def _message(self, entry: Entry) -> str:
        parts = [f"\n## {_line(_who(entry))}, {entry['created_at']}\n"]
        if entry["content"]:
            parts.append(f"\n{entry['content']}\n")
        more = _more(entry)
        if more:
            parts.append("\n" + "".join(f"- {one}\n" for one in more))
        return "".join(parts)


class Text:
    """A line for who spoke and when; below it the text, and an empty line."""

    content_type = "text/plain; charset=utf-8"
    suffix = "txt"

    def begin(self, session: Mapping[str, str]) -> str:
        return f"{_line(session['name'] or session['key'])}\n\n"

    def lines(self, entries: Iterable[Entry]) -> str:
        return "".join(map(self._message, entries))

    def end(self) -> str:
        return ""

    def _message(self, entry: Entry) -> str:
        said = [entry["content"]] if entry["content"] else []
        below = [*said, *(f"[{one}]" for one in _more(entry))]
        return "\n".join([f"{_line(_who(entry))}, {entry['created_at']}:", *below, "", ""])


FORMATS: Mapping[str, type[Format]] = {"json": Json, "markdown": Markdown, "text": Text}


def _who(entry: Entry) -> str:
    return f"{entry['role']} {entry['agent'] or entry['author']}".strip()


def _more(entry: Entry) -> list[str]:
    files = [f"file {_line(one['filename'])}, {one['size']} bytes" for one in entry["attachments"]]
    calls = [f"tool {_line(one['name'])}, {one['state']}" for one in entry["tool_calls"]]
    return [*files, *calls]


def _line(text: str) -> str:
    """What came from outside on one line."""
    return " ".join(text.split())


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
