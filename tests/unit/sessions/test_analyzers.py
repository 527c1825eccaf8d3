"""Analyzers tell a file by its content, and what is broken or too much by a sentence."""

import gzip
import hashlib
import io
import json
import struct
import tarfile
import zipfile
import zlib

import pytest

from sessions.files.analyzers import columns, detection, registry
from sessions.files.analyzers.base import Options

PYTHON = b"import os\nfrom re import (\n    sub,\n)\n\n\n# Why.\nclass A:\n    def b(self):\n        return os\n"


def analyze(content: bytes, **options):
    found = registry.analyze(content, Options(**options))
    # Whatever it is, every JSON parser reads the answer, and it is no longer than this.
    assert len(json.dumps(found, allow_nan=False)) < 120_000
    return found


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    return buffer.getvalue()


def png(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes((1 + 3 * width) * height if height < 100 else 10)))
    return b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")


CONTENTS = {
    "text": b"Dear all,\nthis is what happened, in short.\n",
    "latin text": "Größe und Maße".encode("latin-1"),
    "markdown": b"# Title\n\nSome *text*.\n\n- [one](https://example.org)\n- two\n",
    "html": b"<!doctype html><html><title>Hi</title><body><h1>Head</h1><script>x()</script>Text",
    "python": PYTHON,
    "sql": b"SELECT a\nFROM b\nWHERE c = 1;\n",
    "json": b'[{"a": 1, "b": {"c": "x"}}, {"a": null}]',
    "ndjson": b'{"a": 1}\n{"a": 2}\nbroken\n',
    "yaml": b"a: 1\nb:\n  - x\n  - y\n",
    "xml": b'<rows><row a="1"><b>x</b></row><row a="2"/></rows>',
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="5"><text>Hi</text></svg>',
    "csv": b"time,price\n2024-08-08,1.5\n2024-08-09,\n",
    "csv without header": b"1,a\n2,b\n3,c\n",
    "tsv in utf-16": "a\tb\n1\t2\n3\t4\n".encode("utf-16"),
    "zip": zipped({"a": b"x", "../../etc/passwd": b"y"}),
    "tar": tarred("/etc/shadow"),
    "gzip": gzip.compress(b'{"a": 1}\n{"a": 2}\n{"a": 3}\n'),
    "png": png(3, 2),
    "binary": bytes(range(256)) * 4,
    "nothing": b"",
}


@pytest.mark.parametrize(
    ("name", "analyzer", "format_", "figures"),
    [
        ("text", "document", "text", {"word_count": 8, "line_count": 2}),
        ("latin text", "document", "text", {"char_count": 14}),
        ("markdown", "document", "markdown", {"heading_count": 1, "link_count": 1}),
        ("html", "document", "html", {"script_count": 1, "word_count": 2}),
        ("python", "code", "python", {"function_count": 1, "class_count": 1, "comment_lines": 1}),
        ("sql", "code", "sql", {"total_lines": 3}),
        ("json", "data", "json", {"rows": 2, "columns": 2, "depth": 3}),
        ("ndjson", "data", "ndjson", {"rows": 2, "broken_lines": 1}),
        ("yaml", "data", "yaml", {"keys": ["a", "b"], "documents": 1}),
        ("xml", "data", "xml", {"root": "rows", "elements": 4, "rows": 2}),
        ("svg", "image", "svg", {"width": "10", "height": "5"}),
        ("csv", "data", "csv", {"rows": 2, "has_header": True, "delimiter": ","}),
        ("csv without header", "data", "csv", {"rows": 3, "has_header": False}),
        ("tsv in utf-16", "data", "tsv", {"rows": 2, "columns": 2}),
        ("zip", "archive", "zip", {"members": 2, "unsafe": ["../../etc/passwd"]}),
        ("tar", "archive", "tar", {"members": 1, "unsafe": ["/etc/shadow"], "unpacked_size": 3}),
        ("gzip", "archive", "gzip", {"rows": 3, "unpacked_size": 27}),
        ("png", "image", "png", {"width": 3, "height": 2, "mode": "RGB", "frames": 1}),
        ("binary", "generic", "", {}),
        ("nothing", "document", "text", {"char_count": 0}),
    ],
)
def test_a_file_is_told_by_its_content(name, analyzer, format_, figures):
    found = analyze(CONTENTS[name])

    assert (found["success"], found["analyzer"], found["format"]) == (True, analyzer, format_)
    assert {key: found["data"].get(key) for key in figures} == figures
    assert found["supported"] == (analyzer != "generic")


def test_columns_are_described():
    found = analyze(CONTENTS["csv"])["data"]

    assert found["fields"] == [
        {"name": "time", "type": "date", "nulls": 0},
        {
            "name": "price",
            "type": "number",
            "nulls": 1,
            "numbers": {"min": 1.5, "max": 1.5, "mean": 1.5, "std": 0.0},
        },
    ]
    assert found["preview"][0] == {"time": "2024-08-08", "price": "1.5"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_the_encoding_of_a_text_is_told(encoding: str):
    found = analyze("Größe: 5 €".encode(encoding), kind="extract")

    assert found["content"] == "Größe: 5 €"
    assert found["metadata"]["encoding"] == {"utf-8-sig": "utf-8"}.get(encoding, encoding)


def test_what_is_asked_for_is_answered():
    table = b"name,n\nx,1\n=y,2\n"

    assert analyze(table, kind="extract", most=6)["content"] == "name,n"
    assert analyze(table, kind="statistics")["content"] == ""
    assert analyze(table, kind="query", query=" =Y")["data"] == {
        "query": "=Y",
        "count": 1,
        "hits": [{"line": 3, "text": "=y,2"}],
    }
    assert json.loads(analyze(table, kind="transform")["content"]) == [
        {"name": "x", "n": "1"},
        {"name": "=y", "n": "2"},
    ]
    # No spreadsheet runs what stood in a file as a formula.
    assert analyze(table, kind="transform", to="csv")["content"] == "name,n\r\nx,1\r\n'=y,2\r\n"
    assert analyze(table, kind="transform", to="csv", most=19)["data"]["given"] == 1
    assert analyze(table, kind="visualize")["data"]["columns"] == [
        {"column": "n", "from": 1.0, "to": 2.0, "counts": [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]}
    ]


def test_what_a_file_does_not_have_is_refused():
    refusals = [
        analyze(b"a,b\n1,2\n", kind="query"),
        analyze(b"No table.", kind="transform"),
        analyze(b"No table.", kind="visualize"),
    ]

    assert [one["error"]["code"] for one in refusals] == ["VALIDATION_ERROR"] * 3


HOSTILE = {
    "json that is cut": (b'{"a": [1,', "data", "VALIDATION_ERROR"),
    "json that is deep": (b"[" * 200_000 + b"]" * 200_000, "data", "VALIDATION_ERROR"),
    "json with a number without end": (b'{"a": ' + b"9" * 5000 + b"}", "data", "VALIDATION_ERROR"),
    "csv with a cell without end": (
        b'a,b\n1,2\n3,4\n"' + b"x" * 500_000 + b'",2\n',
        "data",
        "VALIDATION_ERROR",
    ),
    "xml that grows": (
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "b"><!ENTITY c "&b;&b;">]><a>&c;</a>',
        "data",
        "PAYLOAD_TOO_LARGE",
    ),
    "xml that reads a file": (
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        "data",
        "PAYLOAD_TOO_LARGE",
    ),
    "xml that is deep": (b"<a>" * 5000 + b"</a>" * 5000, "data", "VALIDATION_ERROR"),
    "xml that ends": (b"<a><b></a>", "data", "VALIDATION_ERROR"),
    "yaml that grows": (
        b"a: &a [x, x]\n" + b"".join(b"b%d: [*a, *a, *a, *a]\n" % n for n in range(20)),
        "data",
        "PAYLOAD_TOO_LARGE",
    ),
    "yaml that runs": (
        b'a: !!python/object/apply:os.system ["id"]\nb: 1\n',
        "data",
        "VALIDATION_ERROR",
    ),
    "yaml that is deep": (b"a: 1\nb: " + b"[" * 2000, "data", "VALIDATION_ERROR"),
    "a zip that grows": (zipped({"a": bytes(20_000_000)}), "archive", "PAYLOAD_TOO_LARGE"),
    "a zip that is cut": (
        zipped({"a": hashlib.shake_256(b"x").digest(9000)})[:5000],
        "archive",
        "VALIDATION_ERROR",
    ),
    "a docx that grows": (
        zipped({"word/document.xml": b" " * 20_000_000}),
        "document",
        "PAYLOAD_TOO_LARGE",
    ),
    "a docx that is none": (zipped({"word/document.xml": b"<a/>"}), "document", "VALIDATION_ERROR"),
    "an xlsx that is none": (zipped({"xl/workbook.xml": b"<a/>"}), "data", "VALIDATION_ERROR"),
    "a pdf that is none": (b"%PDF-1.4\nnothing", "document", "VALIDATION_ERROR"),
    "a picture that grows": (png(60_000, 60_000), "image", "PAYLOAD_TOO_LARGE"),
    "a picture that is cut": (png(3, 2)[:40], "image", "VALIDATION_ERROR"),
    "gzip in gzip": (gzip.compress(gzip.compress(b"x")), "archive", "VALIDATION_ERROR"),
    "gzip that is cut": (gzip.compress(b"x")[:11], "archive", "VALIDATION_ERROR"),
    "tar that was changed": (b"\x01" + tarred("a")[1:], "archive", "VALIDATION_ERROR"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_broken_or_too_much_is_told(name: str):
    content, analyzer, code = HOSTILE[name]

    found = analyze(content)

    assert (found["success"], found["analyzer"], found["error"]["code"]) == (False, analyzer, code)
    assert 0 < len(found["error"]["message"]) <= 200
    assert (found["data"], found["content"]) == ({}, "")


def test_a_gzip_file_that_grows_is_looked_at_as_far_as_others():
    found = analyze(gzip.compress(b"x" * 20_000_000))

    assert found["data"]["unpacked_size"] <= 8 * 1024 * 1024
    assert found["metadata"]["is_whole"] is False


def test_numbers_that_no_json_has_become_some():
    found = analyze(b'[{"a": NaN, "b": 1e999}, {"a": 1, "b": 2}]')

    assert found["data"]["preview"][0] == {"a": None, "b": None}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (" n/a ", "null"),
        (True, "boolean"),
        ("false", "boolean"),
        (3, "integer"),
        ("-3", "integer"),
        (1.5, "number"),
        ("1e5", "number"),
        (10**400, "integer"),
        ("2024-08-08T10:00:00Z", "date"),
        ([1], "object"),
        ("x", "text"),
    ],
)
def test_a_cell_has_a_type(value, kind):
    assert columns.type_of(value)[0] == kind


@pytest.mark.parametrize(
    "text", ["[2016-12-26 18:32:38,005] INFO x\n[2016-12-26] y\n", "[section]\nkey = 1\n"]
)
def test_what_begins_like_json_may_be_a_text(text: str):
    assert detection.textual(text) == "text"
