"""Which analyzer is for which format, and what is made of what it found."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from aegis_project.kit.errors import AegisError, ValidationFailed
from sessions.core import file_types
from sessions.files.analyzers import (
    columns,
    detection,
    languages,
    markup,
    packed,
    tables,
    trees,
    writing,
)
from sessions.files.analyzers.base import MAX_TEXT, PREVIEW, Found, Options, short
from streaming.core import export

HITS = 10
TEXTS: dict[str, Callable[[str], Found]] = {
    "json": trees.json_,
    "ndjson": trees.ndjson,
    "yaml": trees.yaml_,
    "xml": markup.xml,
    "csv": tables.analyze,
    "html": writing.html,
    "markdown": writing.markdown,
    "text": writing.plain,
}


def analyze(content: bytes, options: Options) -> dict[str, Any]:
    """
    What a file is and holds: bounded, JSON, and the same for everybody who asks.

    What is broken, or too much, has ``success`` false and says why in ``error``. ``content`` is a
    text of ``options.most`` characters at most, ``data`` what was asked for.
    """
    found = Found("generic", "", "application/octet-stream", supported=False)
    said: dict[str, Any] = {"content": "", "data": {}, "error": None}
    try:
        found = _found(content)
        said |= answer(found, options)
    except AegisError as error:
        found = _claimed(content, found)
        said["error"] = {"code": error.code, "message": short(error.message)}
    return {
        "success": said["error"] is None,
        "analysis_type": options.kind,
        "analyzer": found.analyzer,
        "format": found.format,
        "content_type": found.content_type,
        "supported": found.supported,
        "size": len(content),
        **said,
        "metadata": found.metadata,
    }


def _found(content: bytes) -> Found:
    if not content:
        return writing.plain("")
    decoded = detection.decode(content[: MAX_TEXT * 2]) if not _signature(content) else None
    if decoded is None:
        return _binary(content)
    text, encoding = decoded
    found = _text(text[:MAX_TEXT])
    found.metadata["encoding"] = "utf-8" if encoding == "utf-8-sig" else encoding
    found.metadata["is_whole"] = len(content) <= MAX_TEXT * 2 and len(text) <= MAX_TEXT
    return found


def _signature(content: bytes) -> str:
    # Some signatures are made of letters that begin a text as well.
    return (
        detection.binary(content)[0]
        if detection.CONTROL.search(content[:4096]) or _is_pdf(content)
        else ""
    )


def _is_pdf(content: bytes) -> bool:
    return content.startswith(b"%PDF-")


def _text(text: str) -> Found:
    word = detection.textual(text)
    if word in languages.LANGUAGES:
        return writing.program(word, text)
    return TEXTS[word](text)


def _binary(content: bytes) -> Found:
    word, media = detection.binary(content)
    if word == "gzip":
        return _gzip(content)
    kind = "image" if word in detection.IMAGES else word
    known = BINARIES.get(kind)
    return _unknown(word, media) if known is None else known(content)


def _unknown(word: str, media: str) -> Found:
    return Found("generic", word, media or "application/octet-stream", supported=False)


def _gzip(content: bytes) -> Found:
    inside, is_whole = packed.gunzip(content)
    # The end of what was cut may be half a character, and half a line.
    if not is_whole:
        inside = inside.rpartition(b"\n")[0] or inside
    if detection.binary(inside)[0] == "gzip":
        raise ValidationFailed("It is packed more than once.")
    found = _found(inside)
    inner = {"analyzer": found.analyzer, "format": found.format, "content_type": found.content_type}
    found.data = {
        "inside": inner,
        "unpacked_size": len(inside),
        **found.data,
    }
    found.metadata["is_whole"] = is_whole
    found.analyzer, found.format, found.content_type = "archive", "gzip", "application/gzip"
    return found


def _pdf(content: bytes) -> Found:
    from sessions.files.analyzers import pdf  # noqa: PLC0415 -- slow import

    return pdf.analyze(content)


def _docx(content: bytes) -> Found:
    from sessions.files.analyzers import office  # noqa: PLC0415 -- slow import

    return office.docx(content)


def _xlsx(content: bytes) -> Found:
    from sessions.files.analyzers import office  # noqa: PLC0415 -- slow import

    return office.xlsx(content)


def _image(content: bytes) -> Found:
    from sessions.files.analyzers import image  # noqa: PLC0415 -- slow import

    return image.analyze(content)


BINARIES: dict[str, Callable[[bytes], Found]] = {
    "pdf": _pdf,
    "docx": _docx,
    "xlsx": _xlsx,
    "image": _image,
    "zip": packed.zip_,
    "tar": packed.tar,
}
CLAIMS = {
    "pdf": ("document", file_types.PDF),
    "docx": ("document", file_types.WORD),
    "xlsx": ("data", file_types.SHEET),
    "zip": ("archive", "application/zip"),
    "tar": ("archive", "application/x-tar"),
    "gzip": ("archive", "application/gzip"),
    "json": ("data", "application/json"),
    "ndjson": ("data", "application/x-ndjson"),
    "yaml": ("data", "application/yaml"),
    "xml": ("data", "application/xml"),
    "csv": ("data", "text/csv"),
}


def _claimed(content: bytes, found: Found) -> Found:
    """What a file was taken for that could not be read."""
    word, media = detection.binary(content)
    decoded = detection.decode(content[: detection.SAMPLE]) if not word else None
    word = word or (detection.textual(decoded[0]) if decoded else "")
    claimed = ("image", media) if word in detection.IMAGES else CLAIMS.get(word)
    if claimed is not None:
        found.format, found.supported = word, True
        found.analyzer, found.content_type = claimed
    return found


def answer(found: Found, options: Options) -> dict[str, Any]:
    """
    What was asked for, of what was found.

    :raises ValidationFailed: for what such a file does not have
    """
    if options.kind == "summary":
        return {"data": found.data, "content": found.text[: min(PREVIEW, options.most)]}
    if options.kind == "statistics":
        return {"data": found.data}
    if options.kind == "extract":
        is_cut = len(found.text) > options.most
        return {
            "content": found.text[: options.most],
            "data": {"characters": len(found.text), "is_cut": is_cut},
        }
    if options.kind == "query":
        return {"data": _hits(found.text, options.query)}
    return _of_table(found, options)


def _of_table(found: Found, options: Options) -> dict[str, Any]:
    if found.table is None:
        raise ValidationFailed("There is no table in it.", analysis_type=options.kind)
    if options.kind == "visualize":
        return {"data": {"columns": columns.bars(found.table), "rows": len(found.table.rows)}}
    write = _json_lines if options.to == "json" else _csv_lines
    content, count = write(found, options.most)
    return {
        "content": content,
        "data": {"to": options.to, "rows": found.table.count, "given": count},
    }


def _hits(text: str, query: str) -> dict[str, Any]:
    """
    The lines that contain a text, in any case, the first ten.

    :raises ValidationFailed: without a text to look for
    """
    wanted = query.strip().lower()
    if not wanted:
        raise ValidationFailed("A query has a text to look for.", fields=["query"])
    lines = enumerate(text.splitlines(), 1)
    found = [(number, line) for number, line in lines if wanted in line.lower()]
    return {
        "query": short(query),
        "count": len(found),
        "hits": [{"line": number, "text": _around(line, wanted)} for number, line in found[:HITS]],
    }


def _around(line: str, wanted: str) -> str:
    at = max(line.lower().find(wanted) - 50, 0)
    return short(line[at:])


def _json_lines(found: Found, most: int) -> tuple[str, int]:
    """As many whole rows as a JSON list of so many characters holds."""
    assert found.table is not None  # noqa: S101 -- the caller looked
    parts, size = [], 2
    for row in found.table.rows:
        shown = dict(zip(found.table.columns, map(_plain, row), strict=False))
        part = json.dumps(shown, ensure_ascii=False, default=str)
        size += len(part) + 2
        if size > most:
            break
        parts.append(part)
    return f"[{', '.join(parts)}]", len(parts)


def _csv_lines(found: Found, most: int) -> tuple[str, int]:
    """As many whole rows as a CSV text of so many characters holds, beneath their names."""
    assert found.table is not None  # noqa: S101 -- the caller looked
    buffer, count, end = io.StringIO(), 0, 0
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(map(export.safe, found.table.columns))
    for row in found.table.rows:
        end = buffer.tell()
        writer.writerow([_cell(value) for value in row])
        if buffer.tell() > most:
            return buffer.getvalue()[:end], count
        count += 1
    return buffer.getvalue(), count


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return export.safe(text)
