import pytest

from streaming.sources.csv_columns import AGG_TRADES, BOOK_DEPTH, KLINES, METRICS, TRADES

ROWS = [
    (
        TRADES,
        "3735683259,61837.63000000,0.02000000,1236.75260000,1723161255342,true",
        1_723_161_255_342,
        '{"id":3735683259,"price":61837.63000000,"qty":0.02000000,"quote_qty":1236.75260000,'
        '"time":1723161255342,"is_buyer_maker":true}',
    ),
    (
        TRADES,
        "1,1E-8,0,-0.50,1735689600123456,False,True",
        1_735_689_600_123,
        '{"id":1,"price":1e-8,"qty":0,"quote_qty":-0.50,'
        '"time":1735689600123456,"is_buyer_maker":false}',
    ),
    (
        AGG_TRADES,
        "202790190,7139.89000000,0.06702300,222825297,222825298,1577977823305,false",
        1_577_977_823_305,
        '{"agg_trade_id":202790190,"price":7139.89000000,"quantity":0.06702300,'
        '"first_trade_id":222825297,"last_trade_id":222825298,'
        '"transact_time":1577977823305,"is_buyer_maker":false}',
    ),
    (
        KLINES,
        "1723075200000,55133.76,55370.07,54892.30,54893.98,624.21131000,1723076999999,"
        "34421667.64401150,37934,317.09250000,17487417.07022430,0",
        1_723_076_999_999,
        '{"open_time":1723075200000,"open":55133.76,"high":55370.07,"low":54892.30,'
        '"close":54893.98,"volume":624.21131000,"close_time":1723076999999,'
        '"quote_volume":34421667.64401150,"count":37934,"taker_buy_volume":317.09250000,'
        '"taker_buy_quote_volume":17487417.07022430}',
    ),
    (
        BOOK_DEPTH,
        "2024-08-08 00:00:09,-5.00,7493.120,122340000.5",
        1_723_075_209_000,
        '{"timestamp":1723075209000,"percentage":-5.00,"depth":7493.120,"notional":122340000.5}',
    ),
    (
        METRICS,
        "2024-08-08 00:05:00,BTCUSDT,83155.8090,4500000000.10,1.5,0.9,1.1,0.99",
        1_723_075_500_000,
        '{"create_time":1723075500000,"symbol":"BTCUSDT","sum_open_interest":83155.8090,'
        '"sum_open_interest_value":4500000000.10,"count_toptrader_long_short_ratio":1.5,'
        '"sum_toptrader_long_short_ratio":0.9,"count_long_short_ratio":1.1,'
        '"sum_taker_long_short_vol_ratio":0.99}',
    ),
]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(("columns", "line", "ts", "data"), ROWS)
def test_row_becomes_json_with_the_digits_of_the_file(columns, line, ts, data, ending):
    assert columns.rows((line + ending).encode()) == ([ts], [data.encode()])


def test_open_columns_of_klines_may_be_missing_or_more():
    eleven = ROWS[3][1].removesuffix(",0")

    found = KLINES.rows(f"{eleven}\n{eleven},0,x,\n".encode())

    assert found == ([ROWS[3][2]] * 2, [ROWS[3][3].encode()] * 2)


def test_no_lines_are_no_rows():
    assert TRADES.rows(b"") == ([], [])


@pytest.mark.parametrize(
    ("columns", "line", "complaint"),
    [
        (TRADES, "1,2,3,4,5", "5 columns instead of 6"),
        (TRADES, "1,2,3,4,5,true,true,true", "8 columns instead of 6"),
        (TRADES, "1,2,3,4,5,true,x", "the last column is unknown"),
        (TRADES, "x,1,2,3,4,5,true", "id is not a whole number"),
        (TRADES, "1.5,2,3,4,5,true", "id is not a whole number"),
        (TRADES, "1,.5,3,4,5,true", "price is not a number"),
        (TRADES, "1,007,3,4,5,true", "price is not a number"),
        (TRADES, "1,NaN,3,4,5,true", "price is not a number"),
        (TRADES, '1,"2",3,4,5,true', "price is not a number"),
        (TRADES, "1,2,3, 4,5,true", "quote_qty is not a number"),
        (TRADES, "1,2,3,4,-5,true", "time is not a unix time"),
        (TRADES, "1,2,3,4,12345678901234567,true", "time is not a unix time"),
        (TRADES, "1,2,3,4,5,1", "is_buyer_maker is not true or false"),
        (TRADES, f"1,{'9' * 31},3,4,5,true", "price is not a number"),
        (KLINES, "1,2,3", "3 columns instead of 11"),
        (BOOK_DEPTH, "2024-08-08,1,2,3", "timestamp is not a time"),
        (BOOK_DEPTH, "2024-13-08 00:00:00,1,2,3", "timestamp is not a time"),
        (METRICS, '2024-08-08 00:05:00,btc",1,2,3,4,5,6', "symbol is not a symbol"),
    ],
)
def test_bad_line_is_not_taken_and_says_why(columns, line, complaint):
    text = line.encode()

    assert columns.rows(text + b"\n") is None
    assert columns.complain(text) == complaint


def test_one_bad_line_refuses_the_text_it_stands_in():
    good = ROWS[0][1]

    assert TRADES.rows(f"{good}\nx{good}\n{good}\n".encode()) is None
