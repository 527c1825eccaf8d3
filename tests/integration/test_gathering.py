import asyncio
import threading
from collections.abc import Sequence

from aegis_project.gathering import Gathering
from tests import waiting


class Refused(Exception):
    """What is told to one of many."""


class Store:
    """Takes items together, refuses odd ones, breaks at a hundred; it can be held up."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.is_free = threading.Event()
        self.is_free.set()

    def write(self, items: Sequence[int]) -> list[Exception | None]:
        self.calls.append(list(items))
        self.is_free.wait()
        if 100 in items:
            raise OSError("away")
        return [Refused(item) if item % 2 else None for item in items]


async def test_what_comes_while_a_write_is_under_way_goes_together():
    store = Store()
    gathering = Gathering(store.write)
    store.is_free.clear()

    adding = [asyncio.ensure_future(gathering.add(item)) for item in (2, 3, 4, 4)]
    await waiting.until(lambda: bool(store.calls))
    adding.append(asyncio.ensure_future(gathering.add(5)))
    store.is_free.set()
    answers = await asyncio.gather(*adding, return_exceptions=True)

    assert store.calls == [[2, 3, 4, 4], [5]]
    assert [repr(answer) for answer in answers] == [
        "None",
        "Refused(3)",
        "None",
        "None",
        "Refused(5)",
    ]


async def test_what_breaks_a_write_is_told_to_all_of_it_and_the_next_is_tried():
    store = Store()
    gathering = Gathering(store.write)

    broken = await asyncio.gather(gathering.add(2), gathering.add(100), return_exceptions=True)

    assert [type(one) for one in broken] == [OSError, OSError]
    assert await gathering.add(4) is None  # type: ignore[func-returns-value]
    assert store.calls == [[2, 100], [4]]


async def test_who_no_longer_waits_holds_nobody_up():
    store = Store()
    gathering = Gathering(store.write)
    store.is_free.clear()
    leaving, staying = (asyncio.ensure_future(gathering.add(item)) for item in (2, 4))
    await waiting.until(lambda: bool(store.calls))

    leaving.cancel()
    store.is_free.set()
    await staying

    assert leaving.cancelled()
    assert store.calls == [[2, 4]]
