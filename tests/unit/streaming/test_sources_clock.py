from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.core import position
from streaming.core.errors import SourceUnreadable
from streaming.sources import checkpoint, clock
from streaming.sources.blocks import Block, Place, chained
from streaming.sources.clock import Mark, Merge

PRIORITIES = {"trades": 1, "aggTrades": 2, "klines": 3, "bookDepth": 4, "metrics": 5}


@dataclass
class ListedTopic:
    """A topic whose times are listed, in blocks of a few; it can fail to be read."""

    is_stored: ClassVar[bool] = False

    topic: str
    times: list[int]
    size: int = 3
    failures: int = 0

    @property
    def priority(self):
        return PRIORITIES[self.topic.split(".")[0]]

    def facts(self):
        return [self.times]

    def begin(self, ck):
        return Place(file=0, offset=0, line=0, floor=0, seq=0, ck=ck)

    def read(self, place, report=None):
        if self.failures:
            self.failures -= 1
            raise SourceUnreadable
        begin, end = place.offset, place.offset + self.size
        times = self.times[begin:end]
        if not times:
            return None
        data = [f"{self.topic} {seq}".encode() for seq in range(begin + 1, begin + len(times) + 1)]
        cks = chained(place.ck, begin + 1, data)
        after = place._replace(offset=end, seq=begin + len(times), floor=times[-1], ck=cks[-1])
        return Block(place._replace(skip=0, skip_ck=b""), times, data, cks, after._replace(skip=0))


def epochs(topics):
    return {topic.topic: "0123456789abcdef" for topic in topics}


def batches(merge):
    while batch := merge.read():
        yield batch


def laid_out(found, names):
    """Every record as (n, ts, topic, seq, data, ck), in clock order."""
    rows = []
    for batch in found:
        for part in batch.parts:
            for place, data in enumerate(part.data):
                seq = part.first + place
                rows.append(
                    (part.n[place], part.ts[place], names[part.topic], seq, data, part.ck[place])
                )
    return sorted(rows)


def reference(topics):
    rows = []
    for topic in topics:
        ck = position.genesis(topic.topic, "0123456789abcdef")
        for seq, ts in enumerate(topic.times, 1):
            data = f"{topic.topic} {seq}".encode()
            ck = position.chain(ck, seq, data)
            rows.append((ts, topic.priority, topic.topic, seq, data, ck))
    rows.sort(key=lambda row: row[:4])
    return [(n, ts, name, seq, data, ck) for n, (ts, _, name, seq, data, ck) in enumerate(rows, 1)]


def test_one_timestamp_is_ordered_by_type_then_topic_then_seq():
    names = ["metrics.A", "bookDepth.A", "klines.A.1m", "trades.B", "aggTrades.A", "trades.A"]
    topics = [ListedTopic(name, [5, 5]) for name in names]
    merge = Merge(topics, epochs=epochs(topics))

    found = laid_out(batches(merge), [topic.topic for topic in merge.sources])

    assert [(row[2], row[3]) for row in found] == [
        (name, seq)
        for name in (
            "trades.A",
            "trades.B",
            "aggTrades.A",
            "klines.A.1m",
            "bookDepth.A",
            "metrics.A",
        )
        for seq in (1, 2)
    ]


NAMES = ["trades.A", "trades.B", "aggTrades.A", "klines.A.1m", "metrics.A"]
TIMES = st.lists(st.integers(min_value=0, max_value=12), max_size=25).map(sorted)


@st.composite
def sources(draw):
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    return [ListedTopic(name, draw(TIMES), draw(st.integers(1, 4))) for name in names]


@given(topics=sources())
@settings(max_examples=300, deadline=None)
def test_merge_equals_a_sort_of_everything(topics):
    merge = Merge(topics, epochs=epochs(topics))

    found = list(batches(merge))

    rows = laid_out(found, [topic.topic for topic in merge.sources])
    assert rows == reference(topics)
    assert [ts for batch in found for ts in batch.clock] == [row[1] for row in rows]
    assert [batch.last for batch in found] == [batch.mark.n for batch in found]
    assert sum(batch.size for batch in found) == sum(len(row[4]) for row in rows)


@given(topics=sources())
@settings(max_examples=150, deadline=None)
def test_merge_goes_on_from_any_mark_that_was_kept(topics):
    names = [topic.topic for topic in clock.in_order(topics)]
    merge = Merge(topics, epochs=epochs(topics))
    rows = reference(topics)

    for batch in batches(merge):
        kept = checkpoint.read(checkpoint.write(batch.mark, fingerprint="f"), fingerprint="f")
        resumed = Merge(topics, epochs=epochs(topics), mark=kept)

        assert kept == batch.mark
        assert laid_out(batches(resumed), names) == rows[batch.mark.n :]
        heads = {name: (0, position.genesis(name, "0123456789abcdef")) for name in names}
        heads.update({name: (seq, ck) for _, _, name, seq, _, ck in rows[: batch.mark.n]})
        places = zip(names, batch.mark.places, strict=True)
        assert {name: (place.taken, place.taken_ck) for name, place in places} == heads


def test_merge_tries_again_after_a_file_could_not_be_read():
    topics = [ListedTopic("trades.A", [1, 2, 3, 4]), ListedTopic("trades.B", [1, 5, 6, 7])]
    merge = Merge(topics, epochs=epochs(topics))
    found = [merge.read()]
    failures = 0
    topics[0].failures = topics[1].failures = 2

    while merge.n < 8:
        try:
            found.append(merge.read())
        except SourceUnreadable:
            failures += 1

    assert failures == 4
    assert laid_out(found, ["trades.A", "trades.B"]) == reference(topics)


@pytest.mark.parametrize("value", [None, {}, [], "x", {"fingerprint": "other", "n": 1}])
def test_checkpoint_of_anything_else_is_not_taken(value):
    assert checkpoint.read(value, fingerprint="f") is None


def test_beginning_is_a_mark_before_the_first_record():
    topics = [ListedTopic("trades.A", [1])]

    assert clock.beginning(topics, epochs=epochs(topics)) == Mark(
        0, (topics[0].begin(position.genesis("trades.A", "0123456789abcdef")),)
    )


@pytest.mark.parametrize("before", [0, 1, 4, 5, 6, 100])
def test_merge_stops_before_a_time_and_goes_on_from_there(before):
    topics = [ListedTopic("trades.A", [1, 3, 5, 5, 9]), ListedTopic("klines.A.1m", [2, 5, 8])]
    merge = Merge(topics, epochs=epochs(topics))
    clock_order = sorted([*topics[0].times, *topics[1].times])
    found = []

    while batch := merge.read(before=before):
        found += batch.clock
    mark = merge.mark
    again = Merge(topics, epochs=epochs(topics), mark=mark)
    while batch := again.read():
        found += batch.clock

    earlier = [time for time in clock_order if time < before]
    assert (mark.n, mark.ts) == (len(earlier), earlier[-1] if earlier else 0)
    assert found == clock_order


def test_place_in_new_epochs_goes_on_with_the_same_records_in_another_chain():
    topics = [ListedTopic("trades.A", [1, 3, 5, 6, 9]), ListedTopic("klines.A.1m", [2, 5, 8])]
    merge = Merge(topics, epochs=epochs(topics))
    while merge.read(before=6):
        pass
    other = {topic.topic: "f" * 16 for topic in topics}

    mark = clock.anchored(merge.mark, merge.sources, epochs=other)
    old, new = (
        Merge(topics, epochs=epochs(topics), mark=merge.mark),
        Merge(topics, epochs=other, mark=mark),
    )

    assert mark.n == merge.mark.n
    assert [place.taken for place in mark.places] == [place.taken for place in merge.mark.places]
    first, second = old.read(), new.read()
    assert first is not None
    assert second is not None
    assert first.clock == second.clock
    for one, two in zip(first.parts, second.parts, strict=True):
        assert (one.first, one.data, one.n) == (two.first, two.data, two.n)
        begin = mark.places[two.topic].taken_ck
        assert two.ck == chained(begin, two.first, two.data)
        assert one.ck != two.ck


def test_place_whose_block_became_shorter_cannot_be_anchored():
    topics = [ListedTopic("trades.A", [1, 3, 5])]
    merge = Merge(topics, epochs=epochs(topics))
    merge.read(before=5)
    topics[0].times = [1]

    with pytest.raises(SourceUnreadable):
        clock.anchored(merge.mark, topics, epochs=epochs(topics))
