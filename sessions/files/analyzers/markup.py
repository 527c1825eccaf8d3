"""The analyzer of XML, and of the pictures that are XML."""

import io
import re
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml
import defusedxml.ElementTree

from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed
from sessions.files.analyzers import columns
from sessions.files.analyzers.base import Found, short

MAX_DEPTH = 256
MOST_NAMES = 100
MOST_ROWS = 100_000
_TAG = re.compile(r"^\{[^}]*\}")


class _Reading:
    """A document while it goes by: elements are let go as soon as they have ended."""

    def __init__(self) -> None:
        self.depth = self.deepest = self.elements = 0
        self.names: dict[str, int] = {}
        self.root: Element | None = None
        self.rows: list[dict[str, Any]] = []
        self.text: list[str] = []

    def begin(self, element: Element) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ValidationFailed("It is nested too deeply.")
        self.deepest = max(self.deepest, self.depth)
        self.elements += 1
        if self.root is None:
            self.root = element
        name = local(element)
        if name in self.names or len(self.names) < MOST_NAMES:
            self.names[name] = self.names.get(name, 0) + 1

    def end(self, element: Element) -> None:
        self.depth -= 1
        if said := (element.text or "").strip():
            self.text.append(said)
        if self.depth == 1:
            if len(self.rows) < MOST_ROWS:
                self.rows.append(_row(element))
            element.clear()
            if self.root is not None:
                self.root.remove(element)


def xml(text: str) -> Found:
    """
    An XML document: its root, how many elements of which names, and what repeats as rows.

    :raises PayloadTooLarge: for one that defines entities
    :raises ValidationFailed: for what is none
    """
    seen = _Reading()
    source = io.BytesIO(text.encode())
    try:
        for event, element in defusedxml.ElementTree.iterparse(
            source, events=("start", "end"), forbid_dtd=False
        ):
            (seen.begin if event == "start" else seen.end)(element)
    except defusedxml.DefusedXmlException as error:
        raise PayloadTooLarge(f"Entities are not read: {type(error).__name__}.") from None
    except (ParseError, ValueError, LookupError) as error:
        raise ValidationFailed(f"The XML is malformed: {short(error)}.") from None
    return _found(seen, text)


def _found(seen: _Reading, text: str) -> Found:
    root = seen.root
    assert root is not None  # noqa: S101 -- a document without one is malformed
    data: dict[str, Any] = {
        "root": local(root),
        "elements": seen.elements,
        "depth": seen.deepest,
        "names": seen.names,
    }
    if data["root"] == "svg":
        size = {
            key: short(root.attrib[key])
            for key in ("width", "height", "viewBox")
            if key in root.attrib
        }
        return Found("image", "svg", "image/svg+xml", data | size, text="\n".join(seen.text))
    found = Found("data", "xml", "application/xml", data, text=text)
    if len(seen.rows) > 1:
        names = list(dict.fromkeys(key for row in seen.rows for key in row))[: columns.MOST_COLUMNS]
        cells = ([row.get(name) for name in names] for row in seen.rows)
        found.table, figures = columns.read(names, cells)
        found.data |= figures
    return found


def _row(element: Element) -> dict[str, Any]:
    found: dict[str, Any] = {
        f"@{_TAG.sub('', key)}": value for key, value in element.attrib.items()
    }
    if element.text and element.text.strip():
        found["text"] = element.text.strip()
    for child in element:
        # A table of ours names so what can be no element: `<cell name="Mass (g)">`.
        name = child.get("name") if local(child) == "cell" else None
        text = "".join(child.itertext()).strip()
        found.setdefault(short(name) if name else local(child), text or None)
    return found


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return short(_TAG.sub("", str(element.tag)))
