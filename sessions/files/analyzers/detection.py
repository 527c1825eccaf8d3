"""Telling the format of a file from its bytes; what it is called plays no part."""

import codecs
import io
import json
import re
import zipfile
from typing import Any

import filetype

from sessions.files.analyzers import languages, tables

SAMPLE = 64 * 1024
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Signs that no text has: control signs other than tab, line feed, form feed, escape and return.
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_JSON = re.compile(
    r'\s*(?:\{\s*["}]|\[\s*(?:["\[{\]]|-?\d[\d.eE+-]{0,40}\s*[,\]]|(?:true|false|null)\s*[,\]]))'
)
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]{0,200}>)?\s*(?:<!doctype html|<html|<head|<body)", re.IGNORECASE
)
_XML = re.compile(
    r"\s*(?:<\?xml\s|<!--|<!doctype\s|<[A-Za-z_][\w.:-]*(?:\s[^<>]*)?/?>)", re.IGNORECASE
)
_YAML = re.compile(r"(?:- +\S|[ \t]*- |[ \t]*[\w\"'./-]{1,100}:(?:\s|$)|---\s*$|\.\.\.$)")
_MARKDOWN = re.compile(r"#{1,6} \S|[-*+] \S|\d+\. \S|```|~~~|> |.*\[[^\]]{1,200}\]\([^)]{1,500}\)")
_HEADING = re.compile(r"^#{1,6} \S", re.MULTILINE)
ZIPPED = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx"}
IMAGES = frozenset({"png", "jpg", "gif", "webp", "bmp", "tif", "ico"})


def decode(content: bytes) -> tuple[str, str] | None:
    """A text and its encoding, or None for what is none."""
    for mark, encoding in BOMS:
        if content.startswith(mark):
            return _decoded(content, encoding)
    if CONTROL.search(content):
        return None
    return _decoded(content, "utf-8") or _decoded(content, "cp1252")


def _decoded(content: bytes, encoding: str) -> tuple[str, str] | None:
    # A part of a file may end within a character.
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        return decoder.decode(content), encoding
    except UnicodeDecodeError:
        return None


def binary(content: bytes) -> tuple[str, str]:
    """The format and the media type that the first bytes tell, empty if they tell none."""
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(content), "application/zip"
    found: Any = filetype.guess(content[:SAMPLE])
    if found is None:
        return "", ""
    word, media = str(found.extension), str(found.mime)
    return {"jpx": "jp2", "gz": "gzip"}.get(word, word), media


def _zipped(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return "zip"
    return next((word for name, word in ZIPPED.items() if name in names), "zip")


def textual(text: str) -> str:
    """The format of a text: json ndjson html xml yaml csv, a language, markdown or text."""
    sample = text[:SAMPLE]
    if _JSON.match(sample):
        return "ndjson" if is_ndjson(sample) else "json"
    if _HTML.match(sample):
        return "html"
    if _XML.match(sample):
        return "xml"
    return _less_sure(sample)


def _less_sure(sample: str) -> str:
    language = languages.of(sample)
    if language:
        return language
    if _is_markdown(sample):
        return "markdown"
    if _is_yaml(sample):
        return "yaml"
    return "csv" if tables.delimiter(sample) else "text"


def is_ndjson(sample: str) -> bool:
    """Whether each of the first lines is a JSON value, and there are several."""
    lines = [line for line in sample.splitlines() if line.strip()][:2]
    return len(lines) > 1 and all(map(_is_value, lines))


def _is_value(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return False


def _is_markdown(sample: str) -> bool:
    lines = [line for line in sample.splitlines() if line.strip()]
    marked = sum(1 for line in lines if _MARKDOWN.match(line))
    return bool(_HEADING.search(sample)) and marked > 1


def _is_yaml(sample: str) -> bool:
    lines = [one for one in sample.splitlines() if one.strip() and not one.lstrip().startswith("#")]
    lines = lines[:50]
    named = sum(1 for line in lines if _YAML.match(line))
    return len(lines) > 1 and bool(_YAML.match(lines[0])) and named * 5 >= len(lines) * 4
