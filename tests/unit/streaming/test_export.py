import json

import pytest

from streaming.core.export import Csv, Ndjson, Row

CK = b"\x01" * 8


def row(seq, data, ts=5):
    return Row("e" * 16, seq, ts, CK, data)


def table(*items):
    """The lines of a table of these data."""
    rows = [row(seq, data) for seq, data in enumerate(items, 1)]
    form = Csv()
    return (form.begin(rows) + form.lines(rows)).decode().splitlines()


def test_a_line_of_ndjson_has_all_that_proves_a_record():
    form = Ndjson()

    text = form.begin([]) + form.lines([row(1, b'{"p":1.10}'), row(2, b"[2]")])

    assert text.splitlines()[0] == (
        b'{"seq":1,"ts":5,"epoch":"eeeeeeeeeeeeeeee","ck":"0101010101010101","data":{"p":1.10}}'
    )
    assert json.loads(text.splitlines()[1])["data"] == [2]


def test_members_of_the_data_are_columns_in_the_order_in_which_they_come():
    assert table(b'{"p":1.10,"q":"a,b"}', b'{"q":null,"r":{"x": [1]}}', b'{"p":true}') == [
        "seq,ts,p,q,r,data",
        '1,5,1.10,"a,b",,',
        '2,5,,,{"x": [1]},'.replace('{"x": [1]}', '"{""x"": [1]}"'),
        "3,5,true,,,",
    ]


def test_data_that_is_no_object_stands_in_its_own_column():
    assert table(b"1", b'"two"', b"[3]") == [
        "seq,ts,data",
        "1,5,1",
        '2,5,"""two"""',
        "3,5,[3]",
    ]


def test_record_with_a_member_that_came_later_loses_nothing():
    form, first, later = Csv(), row(1, b'{"p":1}'), row(2, b'{"p":2,"late":3}')

    text = form.begin([first]) + form.lines([first, later])

    assert text.decode().splitlines() == [
        "seq,ts,p,data",
        "1,5,1,",
        '2,5,2,"{""p"":2,""late"":3}"',
    ]


def test_members_that_are_called_like_our_columns_have_longer_names():
    assert table(b'{"seq":7,"ts":8,"data":9}') == [
        "seq,ts,data.seq,data.ts,data.data,data",
        "1,5,7,8,9,",
    ]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@x", "'@x"),
        ("-x", "'-x"),
        ("-0.5", "-0.5"),
        ("+1e5", "+1e5"),
        ("plain", "plain"),
    ],
)
def test_text_that_would_be_a_formula_is_text(text, cell):
    assert table(json.dumps({"a": text}).encode())[1] == f"1,5,{cell},"


def test_without_records_there_are_the_columns():
    assert table() == ["seq,ts,data"]
    assert Ndjson().lines([]) == b""
