"""A view over the real files."""

from collections import Counter

from streaming.core import position
from streaming.engines.replay import ReplayView
from streaming.sources import csv_layout, source
from streaming.sources.source import SourceSpec
from tests import archive

pytestmark = archive.needs_data

SESSION = "5b0b8a2e-3f0d-4b57-9c0e-5a6c1c3d2e1f"
EPOCH = "0123456789abcdef"


async def test_readers_see_every_real_record_once_and_in_order():
    root = archive.real("spot-2024-08")
    names = csv_layout.topics(root)
    opened = source.open_source(SourceSpec(root, tuple(names)))
    view = await ReplayView.open(
        opened, session_id=SESSION, epochs=dict.fromkeys(names, EPOCH), window_records=2000
    )
    counts: Counter[str] = Counter()
    cks = {name: position.genesis(name, EPOCH) for name in names}
    last_n = 0

    while upcoming := await view.peek():
        # A day at a time, so that most must be read from the files again.
        await view.advance(until_ts=upcoming.ts + csv_layout.DAY_MS)
        seen = []
        for log in view.logs:
            name = log.key[1]
            while cut := await log.read(counts[name]):
                assert cut.first == counts[name] + 1
                for seq, data in enumerate(cut.data, cut.first):
                    cks[name] = position.chain(cks[name], seq, data)
                assert cut.ck == cks[name]
                counts[name] = cut.last
                seen += cut.n or []
        assert sorted(seen) == list(range(last_n + 1, view.n + 1))
        last_n = view.n

    assert counts == {
        "klines.BTCUSDT.1m": 10,
        "klines.BTCUSDT.30m": 672,
        "klines.ETHUSDT.1m": 10,
        "klines.ETHUSDT.30m": 672,
        "trades.BTCUSDT": 19_904,
        "trades.ETHUSDT": 14_515,
    }
    assert {name: place.ck for name, place in view.receipts().items()} == cks
    assert view.report.count == 0
