"""The columns of exchange archives: how the lines of each type become records."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from streaming.sources.clock_range import utc_ms

MICROSECONDS = 10**14
"""A unix time of this size or more is in microseconds, as in archives since 2025."""

KINDS = {
    "int": rb"0|[1-9][0-9]{0,18}+",
    "number": rb"-?+(?:0|[1-9][0-9]{0,29}+)(?:\.[0-9]{1,30}+)?+(?:[eE][+-]?+[0-9]{1,3}+)?+",
    "bool": rb"true|false",
    "time": rb"0|[1-9][0-9]{0,15}+",
    "date": rb"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}",
    "word": rb"[A-Z0-9][A-Z0-9_-]{0,63}+",
}
"""What a column may hold. Numbers are JSON's, so that the file's own digits stand in ``data``."""

WORDS = {
    "int": "a whole number",
    "number": "a number",
    "bool": "true or false",
    "time": "a unix time",
    "date": "a time",
    "word": "a symbol",
}

HEADER = re.compile(rb"[A-Za-z_ ]+(?:,[A-Za-z_ ]+)+\r?")
"""A first line of nothing but names."""

Rows = tuple[list[int], list[bytes]]
"""Clock times (unix ms) and JSON texts, one of each for a row."""


@dataclass(frozen=True)
class Columns:
    """
    The columns of one type of file, in order, and which of them is the clock.

    ``extra`` is what may follow the last column: anything (``"any"``), one more boolean that is
    not taken over (``"bool"``, the archives' best-match mark) or nothing (``""``).
    """

    type: str
    priority: int
    fields: tuple[tuple[str, str], ...]
    clock: str
    extra: str = ""

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        columns = b",".join(b"(" + KINDS[kind] + b")" for _, kind in self.fields)
        extra = {"any": rb"(?:,[^,\n]*+)*+", "bool": rb"(?:,(?:true|false))?+", "": b""}
        return re.compile(rb"(?m)^" + columns + extra[self.extra] + rb"\r?+\n")

    @cached_property
    def template(self) -> bytes:
        quote = {"word": '"%b"'}
        members = ",".join(f'"{name}":{quote.get(kind, "%b")}' for name, kind in self.fields)
        return b"{%b}" % members.encode()

    @cached_property
    def clock_index(self) -> int:
        return [name for name, _ in self.fields].index(self.clock)

    @cached_property
    def is_dated(self) -> bool:
        return self.fields[0][1] == "date"

    @cached_property
    def has_booleans(self) -> bool:
        return self.extra == "bool"

    def rows(self, text: bytes) -> Rows | None:
        """The rows of whole lines, or ``None`` when any of the lines is bad."""
        if self.has_booleans and (b"T" in text or b"F" in text):
            text = text.lower()
        found: list[tuple[bytes, ...]] = self.pattern.findall(text)
        # Each match is one whole line, so equal counts mean that every line matched.
        if len(found) != text.count(b"\n"):
            return None
        return self._dated(found) if self.is_dated else self._timed(found)

    def _timed(self, found: list[tuple[bytes, ...]]) -> Rows:
        index, template = self.clock_index, self.template
        times = [int(row[index]) for row in found]
        if times and max(times) >= MICROSECONDS:
            times = [time // 1000 if time >= MICROSECONDS else time for time in times]
        return times, [template % row for row in found]

    def _dated(self, found: list[tuple[bytes, ...]]) -> Rows | None:
        template = self.template
        try:
            times = [_date_ms(row[0]) for row in found]
        except ValueError:
            return None
        pairs = zip(times, found, strict=True)
        return times, [template % (b"%d" % time, *row[1:]) for time, row in pairs]

    def complain(self, line: bytes) -> str:
        """Why :meth:`rows` did not take this one line."""
        cells = line.rstrip(b"\r\n").split(b",")
        if self._has_wrong_count(len(cells)):
            return f"{len(cells)} columns instead of {len(self.fields)}"
        for (name, kind), cell in zip(self.fields, cells, strict=False):
            if not re.fullmatch(KINDS[kind], cell.lower() if kind == "bool" else cell):
                return f"{name} is not {WORDS[kind]}"
        return f"{self.clock} is not a time" if self.is_dated else "the last column is unknown"

    def _has_wrong_count(self, count: int) -> bool:
        more = {"any": count, "bool": len(self.fields) + 1, "": len(self.fields)}[self.extra]
        return not len(self.fields) <= count <= more


@lru_cache(maxsize=4096)
def _date_ms(text: bytes) -> int:
    # Depth rows come in dozens of one time each.
    return utc_ms(datetime.fromisoformat(text.decode("ascii")))


def _fields(text: str, kind: str = "number") -> tuple[tuple[str, str], ...]:
    pairs = (word.partition(":") for word in text.split())
    return tuple((name, given or kind) for name, _, given in pairs)


TRADES = Columns(
    type="trades",
    priority=1,
    fields=_fields("id:int price qty quote_qty time:time is_buyer_maker:bool"),
    clock="time",
    extra="bool",
)
AGG_TRADES = Columns(
    type="aggTrades",
    priority=2,
    fields=_fields(
        "agg_trade_id:int price quantity first_trade_id:int last_trade_id:int"
        " transact_time:time is_buyer_maker:bool"
    ),
    clock="transact_time",
    extra="bool",
)
KLINES = Columns(
    type="klines",
    priority=3,
    fields=_fields(
        "open_time:time open high low close volume close_time:time quote_volume count:int"
        " taker_buy_volume taker_buy_quote_volume"
    ),
    clock="close_time",
    extra="any",
)
BOOK_DEPTH = Columns(
    type="bookDepth",
    priority=4,
    fields=_fields("timestamp:date percentage depth notional"),
    clock="timestamp",
)
METRICS = Columns(
    type="metrics",
    priority=5,
    fields=_fields(
        "create_time:date symbol:word sum_open_interest sum_open_interest_value"
        " count_toptrader_long_short_ratio sum_toptrader_long_short_ratio"
        " count_long_short_ratio sum_taker_long_short_vol_ratio"
    ),
    clock="create_time",
)

TYPES = {layout.type: layout for layout in (TRADES, AGG_TRADES, KLINES, BOOK_DEPTH, METRICS)}
