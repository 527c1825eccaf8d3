"""Generators make files that analyzers read back, and in which nothing runs."""

import io
import json

import openpyxl
import pytest

from aegis_project.kit.errors import PayloadTooLarge, ValidationFailed
from sessions.files.analyzers import registry as analyzers
from sessions.files.analyzers.base import Options
from sessions.files.generators import base, registry
from sessions.files.generators.base import Section, Wanted

ROWS = [
    {"symbol": "BTCUSDT", "close": 61000.5, "open": True, "note": None},
    {"symbol": "=cmd()", "close": -3, "more": {"a": [1]}, "two words": "a<b\x01"},
]


def make(**wanted) -> base.Made:
    return registry.make(Wanted(**wanted))


def analyze(content: bytes, **options):
    return analyzers.analyze(content, Options(**options))


@pytest.mark.parametrize("format_", ["csv", "json", "xlsx", "xml"])
def test_data_is_read_back_as_what_it_is(format_: str):
    made = make(type="data", format=format_, rows=[{"a": 1, "b": "x"}, {"a": 2.5, "b": "y"}])

    found = analyze(made.content)

    assert (made.suffix, found["format"]) == (format_, format_)
    assert (found["error"], found["content_type"]) == (None, made.content_type)
    assert (found["data"]["rows"], found["data"]["columns"]) == (2, 2)
    assert [one["name"] for one in found["data"]["fields"]] == ["a", "b"]


def test_no_spreadsheet_runs_what_somebody_wrote():
    table = make(type="data", format="csv", rows=ROWS).content.decode()
    book = openpyxl.load_workbook(io.BytesIO(make(type="data", format="xlsx", rows=ROWS).content))

    assert table.splitlines() == [
        "symbol,close,open,note,more,two words",
        "BTCUSDT,61000.5,true,,,",
        '\'=cmd(),-3,,,"{""a"": [1]}",a<b\x01',
    ]
    cell = book["Data"]["A3"]
    assert (cell.value, cell.data_type) == ("=cmd()", "s")
    assert book["Data"]["B2"].value == 61000.5


def test_xml_names_what_it_can_and_escapes_all():
    lines = make(type="data", format="xml", rows=ROWS).content.decode().splitlines()

    assert lines[2] == (
        "  <row><symbol>BTCUSDT</symbol><close>61000.5</close><open>true</open><note></note></row>"
    )
    assert lines[3].endswith('<more>{"a": [1]}</more><cell name="two words">a&lt;b</cell></row>')


def test_json_is_what_was_given():
    assert json.loads(make(type="data", format="json", rows=ROWS).content) == ROWS


REPORT = {
    "type": "report",
    "title": "What <b>happened</b>",
    "text": "First.\n\nSecond – “quoted”.",
    "sections": [Section(heading="Prices", rows=[{"symbol": "A|B", "close": 1.5}])],
}


def test_a_report_is_markdown():
    assert make(**REPORT, format="md").content.decode() == (
        "# What <b>happened</b>\n\nFirst.\n\nSecond – “quoted”.\n\n## Prices\n\n"
        "| symbol | close |\n|---|---|\n| A\\|B | 1.5 |\n"
    )


def test_a_report_is_plain_text():
    assert make(**REPORT, format="txt").content.decode() == (
        "What <b>happened</b>\n====================\n\nFirst.\n\nSecond – “quoted”.\n\n"
        "Prices\n------\n\nsymbol\tclose\nA|B\t1.5\n"
    )


def test_a_report_is_a_page_in_which_nothing_runs():
    text = make(**REPORT, format="html").content.decode()

    assert (
        "<h1>What &lt;b&gt;happened&lt;/b&gt;</h1>\n<p>First.</p>\n<p>Second – “quoted”.</p>"
        in text
    )
    assert "<tr><th>symbol</th><th>close</th></tr><tr><td>A|B</td><td>1.5</td></tr>" in text
    assert analyze(text.encode())["format"] == "html"


def test_a_report_is_a_pdf():
    made = make(**REPORT, format="pdf")

    found = analyze(made.content, kind="extract")

    assert (found["format"], found["error"]) == ("pdf", None)
    for part in ("What <b>happened</b>", 'Second - "quoted".', "Prices", "A|B", "1.5"):
        assert part in found["content"]


def test_what_a_pdf_has_no_sign_for_is_marked():
    made = make(type="report", format="pdf", title="Größe 漢", text="")

    assert "Größe ?" in analyze(made.content, kind="extract")["content"]


def test_a_program_says_what_it_is_in_its_own_comment():
    made = {
        language: make(type="code", language=language, title="Add */ two", code="x")
        for language in ("Python", "sql", "css", "go")
    }

    assert {name: (one.suffix, one.content.decode()) for name, one in made.items()} == {
        "Python": ("py", "# Add * / two\nx\n"),
        "sql": ("sql", "-- Add * / two\nx\n"),
        "css": ("css", "/* Add * / two */\nx\n"),
        "go": ("go", "// Add * / two\nx\n"),
    }


def test_what_runs_a_program_stays_its_first_line():
    made = make(type="code", language="shell", title="One", code="#!/bin/sh\necho 1")

    assert made.content == b"#!/bin/sh\n# One\necho 1\n"


@pytest.mark.parametrize(
    "wanted",
    [
        {"type": "report", "format": "docx"},
        {"type": "report"},
        {"type": "data", "format": "pdf"},
        {"type": "code", "language": "brainfuck", "code": "+"},
        {"type": "code", "language": "python", "code": " "},
        {"type": "report", "format": "md", "text": "\ud800"},
    ],
)
def test_what_cannot_be_made_is_refused(wanted):
    with pytest.raises(ValidationFailed):
        make(**wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        {"type": "data", "format": "csv", "rows": [{f"c{n}": 1 for n in range(201)}] * 1000},
        {"type": "report", "format": "md", "text": "x" * (base.MOST_TEXT + 1)},
        {"type": "report", "format": "pdf", "text": "x" * 200_001},
        {"type": "report", "format": "pdf", "rows": [{"a": 1}] * 5001},
        {"type": "report", "format": "pdf", "rows": [{f"c{n}": 1 for n in range(13)}]},
    ],
)
def test_what_would_take_long_is_refused(wanted):
    with pytest.raises(PayloadTooLarge):
        make(**wanted)
