import re
from pathlib import Path

import pytest

from components.core import reconnect
from components.core.reconnect import Verdict
from components.sdk import cursors, errors
from streaming.core.errors import CloseCode, StreamError, close_code
from streaming.core.position import Cursor

PAGE = (Path(__file__).parents[3] / "docs" / "sdk.md").read_text(encoding="utf-8")
CODES = [code for code in CloseCode if code is not CloseCode.NORMAL]


@pytest.mark.parametrize("code", CODES)
def test_every_close_code_has_a_class_of_its_own(code: CloseCode):
    error = errors.closed(code)

    assert isinstance(error, StreamError)
    assert close_code(error) is code
    assert type(error).__name__ in errors.__all__


def test_a_connection_that_broke_is_lost():
    assert isinstance(errors.closed(None), errors.ConnectionLost)
    assert errors.closed(1006).details == {"close_code": 1006}


def test_a_frame_makes_the_error_that_the_server_raised():
    error = errors.told("UNKNOWN_TOPIC", "No.", {"topic": "x y"})

    assert isinstance(error, errors.UnknownTopic)
    assert (error.message, error.details) == ("No.", {"topic": "x y"})


def test_a_code_of_a_newer_server_is_a_refusal_that_names_it():
    error = errors.told("BRAND_NEW", "No.")

    assert isinstance(error, errors.Refused)
    assert error.details == {"code": "BRAND_NEW"}


def test_the_page_names_what_each_close_code_raises():
    table = dict(re.findall(r"^\| (4\d{3}) \| `(\w+)` \|", PAGE, re.MULTILINE))
    raised = [code for code in CODES if reconnect.judge(code, is_staying=False) is Verdict.RAISE]

    assert table == {str(int(code)): type(errors.closed(code)).__name__ for code in raised}


def test_a_cursor_is_one_line_of_text():
    cursor = Cursor("00000000000000ab", 7, bytes(8), trail=((3, bytes(8)),))

    text = cursors.write(cursor)

    assert "\n" not in text
    assert cursors.read(text) == cursor
