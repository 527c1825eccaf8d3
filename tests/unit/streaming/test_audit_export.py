import json
from typing import Any

from streaming.core import audit_export
from streaming.core.audit_export import COLUMNS, FORMATS

ENTRY: dict[str, Any] = dict.fromkeys(COLUMNS, "") | {
    "id": 3,
    "at": "2026-11-21T12:00:00Z",
    "command": "=cmd()",
    "actor": "+user",
    "target": "@desk",
    "session": None,
    "detail": {"reason": "-1+1", "ü": [1, None]},
    "place": 7,
}


def test_a_line_of_ndjson_is_the_entry():
    form = FORMATS["ndjson"]()

    assert form.begin() == b""
    assert [json.loads(one) for one in form.lines([ENTRY, ENTRY]).splitlines()] == [ENTRY, ENTRY]


def test_a_table_has_a_heading_and_no_formulas():
    form = FORMATS["csv"]()

    assert form.begin().decode() == f"{','.join(audit_export.COLUMNS)}\r\n"
    assert form.lines([ENTRY]).decode() == (
        "3,2026-11-21T12:00:00Z,'=cmd(),,,'+user,,,,,,'@desk,"
        '"{""reason"":""-1+1"",""ü"":[1,null]}",7,,\r\n'
    )
