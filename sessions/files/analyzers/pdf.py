"""The analyzer of PDF documents."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import pypdf
from pypdf.errors import PyPdfError

from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed
from sessions.files.analyzers import writing
from sessions.files.analyzers.base import Found, short

MOST_PAGES = 50
"""Pages of which the text is read."""
MOST_TEXT = 1_000_000
NAMES = ("title", "author", "subject", "creator", "producer")
# What a library raises for what somebody else wrote can be anything.
BROKEN = (
    PyPdfError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OSError,
    AssertionError,
)


def analyze(content: bytes) -> Found:
    """
    A PDF document: its pages, what it says of itself, and the text of its first pages.

    :raises ValidationFailed: for one that is broken
    :raises PayloadTooLarge: for one that unpacks to too much
    """
    # It tells a log of everything it mends.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        return _read(pypdf.PdfReader(io.BytesIO(content)))
    except pypdf.errors.LimitReachedError:
        raise PayloadTooLarge("The PDF unpacks to too much.") from None
    except RecursionError:
        raise ValidationFailed("The PDF is nested too deeply.") from None
    except BROKEN as error:
        raise ValidationFailed(f"The PDF is broken: {short(error)}.") from None


def _read(reader: pypdf.PdfReader) -> Found:
    found = Found("document", "pdf", "application/pdf")
    if reader.is_encrypted and not reader.decrypt(""):
        found.data = {"is_encrypted": True}
        return found
    found.metadata = _metadata(reader)
    pages = len(reader.pages)
    texts = list(_texts(reader))
    found.text = "\n".join(texts)
    found.data = {
        "is_encrypted": reader.is_encrypted,
        "pages": pages,
        "pages_read": len(texts),
        **_size(reader),
        **writing.figures(found.text),
    }
    return found


def _texts(reader: pypdf.PdfReader) -> Iterator[str]:
    size = 0
    for page in reader.pages[:MOST_PAGES]:
        if size > MOST_TEXT:
            return
        text = page.extract_text()
        size += len(text)
        yield text


def _size(reader: pypdf.PdfReader) -> dict[str, Any]:
    if not reader.pages:
        return {}
    box = reader.pages[0].mediabox
    return {
        "width_points": round(float(box.width), 1),
        "height_points": round(float(box.height), 1),
    }


def _metadata(reader: pypdf.PdfReader) -> dict[str, Any]:
    said = reader.metadata
    if said is None:
        return {}
    return {name: short(value) for name in NAMES if (value := getattr(said, name, None))}
