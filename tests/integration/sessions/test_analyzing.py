"""Analyses of real files, and of those that take what they can from the process that reads them."""

import json
import zlib
from typing import Any

import pytest

from sessions.files import analyzing
from sessions.files.analyzers import registry
from sessions.files.analyzers.base import Options
from sessions.files.generators import registry as generators
from sessions.files.generators.base import Format, Wanted
from tests import archive

DOCUMENTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "documents/airports.csv": ("data", "csv", {"rows": 3376, "columns": 7}),
    "documents/seattle-weather.csv": ("data", "csv", {"rows": 1461, "columns": 6}),
    "documents/penguins.json": ("data", "json", {"rows": 344, "columns": 7}),
    "documents/earthquakes.json": ("data", "json", {"rows": 1707, "table": "features"}),
    "documents/markitdown-test.xlsx": ("data", "xlsx", {"sheet_count": 2, "rows": 23}),
    "documents/markitdown-test.docx": (
        "document",
        "docx",
        {"table_count": 1, "image_count": 1, "comment_count": 0},
    ),
    "documents/markitdown-test_with_comment.docx": ("document", "docx", {"comment_count": 2}),
    "documents/nics-background-checks-2015-11.pdf": (
        "document",
        "pdf",
        {"pages": 1, "is_encrypted": False, "width_points": 1008.0},
    ),
    "documents/exif.png": ("image", "png", {"width": 512, "height": 512, "mode": "RGB"}),
    "documents/exif_gps_typeerror.jpg": ("image", "jpeg", {"width": 800, "height": 531}),
    "documents/flower2.jpg": ("image", "jpeg", {"width": 300, "height": 225}),
    "documents/landscape_6.jpg": ("image", "jpeg", {"width": 450, "height": 600}),
    "documents/frozenpond.mpo": ("image", "mpo", {"width": 640, "frames": 2}),
    "documents/analyzer-input-code/starlette_datastructures.py": (
        "code",
        "python",
        {"total_lines": 692, "class_count": 13, "function_count": 94},
    ),
    "README.md": ("document", "markdown", {"heading_count": 8}),
    "licences/Pillow.MIT-CMU.txt": ("document", "text", {"line_count": 30}),
    "logs/kafka/kafka2-controller.log": ("document", "text", {}),
    "market/coinbase-1m/20170903_btcusd_minute_trade.csv": (
        "data",
        "csv",
        {"rows": 1440, "has_header": False},
    ),
    "market/frames/binance-spot-trades-with-reconnects.json": ("data", "json", {"rows": 24}),
}


@archive.needs_data
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_real_file_is_told_by_its_content(name: str):
    analyzer, format_, figures = DOCUMENTS[name]

    found = registry.analyze(archive.document(name), Options())

    assert (found["error"], found["analyzer"], found["format"]) == (None, analyzer, format_)
    assert {key: found["data"][key] for key in figures} == figures


@archive.needs_data
def test_a_real_recording_is_looked_into_as_far_as_others():
    name = "market/frames/binance-spot-btcusdt-20240808.jsonl.gz"

    found = registry.analyze(archive.document(name), Options(kind="statistics"))

    assert (found["analyzer"], found["format"]) == ("archive", "gzip")
    assert 8_000_000 < found["data"]["unpacked_size"] <= 8 * 1024 * 1024
    assert found["metadata"]["is_whole"] is False


@archive.needs_data
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("documents/nics-background-checks-2015-11.pdf", "VALIDATION_ERROR"),
        ("documents/markitdown-test.docx", "VALIDATION_ERROR"),
        ("documents/flower2.jpg", "VALIDATION_ERROR"),
        ("documents/penguins.json", "VALIDATION_ERROR"),
    ],
)
def test_the_first_half_of_a_real_file_is_told_to_be_broken(name: str, code: str):
    content = archive.document(name)

    found = registry.analyze(content[: len(content) // 2], Options())

    assert (found["success"], found["error"]["code"]) == (False, code)


def test_a_file_is_analyzed_in_a_process_of_its_own():
    found = analyzing.analyze(b"a,b\n1,2\n", Options())

    assert found.pop("processing_time_ms") > 0
    assert found == registry.analyze(b"a,b\n1,2\n", Options())


def test_one_that_takes_too_long_or_too_much_is_given_up():
    # Fifteen seconds of work and more, on a fast machine.
    slow = _pdf(b"BT (a) Tj ET\n" * 200_000, pages=50)

    found = analyzing.analyze(slow, Options(), work_seconds=1)

    assert (found["success"], found["error"]) == (False, analyzing.TOO_MUCH)
    assert found["size"] == len(slow) < 500_000


def _pdf(content: bytes, *, pages: int) -> bytes:
    """A document of so many pages, each drawn by these words, which are packed."""
    packed = zlib.compress(content, 9)
    stream = b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(packed), packed)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%b]/Count %d>>" % (b"3 0 R " * pages, pages),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<</Font<<>>>>/Contents 4 0 R>>",
        stream,
    ]
    body, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % at for at in places)
    head = b"xref\n0 5\n0000000000 65535 f \n%b" % table
    return body + head + b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(body)


@archive.needs_data
@pytest.mark.parametrize("format_", ["csv", "json", "xlsx", "xml"])
def test_a_table_of_a_real_file_is_generated_and_read_back(format_: Format):
    rows = json.loads(archive.document("documents/penguins.json"))

    made = generators.make(Wanted(type="data", format=format_, rows=rows))

    found = registry.analyze(made.content, Options())["data"]

    fields = {one["name"]: one for one in found["fields"]}
    assert (found["rows"], list(fields)) == (344, list(rows[0]))
    masses = fields["Body Mass (g)"]
    assert (masses["nulls"], masses["numbers"]["max"]) == (2, 6300)
