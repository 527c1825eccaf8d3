"""What the one writer of a process does with what its runs say."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from sessions.core.run_log import Text
from sessions.runs.output import Output
from sessions.services.run_log import Batch
from sessions.services.working import Claimed

CLAIMED = Claimed(run_id=uuid4(), session_id=uuid4(), fence=1, attempt=1)


class Paper:
    """Where it writes; ``written`` has the texts of each group."""

    def __init__(self) -> None:
        self.written: list[list[str]] = []

    def write(self, batches: Sequence[Batch]) -> dict[UUID, int]:
        texts = [entry.text for one in batches for entry in one.entries if isinstance(entry, Text)]
        self.written.append(texts)
        return {one.run_id: 1 for one in batches}


@pytest.fixture
def paper() -> Paper:
    return Paper()


async def said(output: Output, *words: str) -> None:
    for word in words:
        await output.say(CLAIMED, Text(text=word))


async def test_what_is_taken_as_the_rest_is_not_written(paper: Paper):
    output = Output(paper.write)
    await said(output, "a")
    await output.flush(CLAIMED)
    await said(output, "b", "c")

    rest = await output.rest(CLAIMED)

    await output.flush(CLAIMED)
    await said(output, "d")
    await output.flush(CLAIMED)
    await output.stop()
    assert rest == [Text(text="b"), Text(text="c")]
    assert paper.written == [["a"], ["d"]]


async def test_what_is_given_back_is_written_before_what_comes_later(paper: Paper):
    output = Output(paper.write)
    await said(output, "a", "b")
    rest = await output.rest(CLAIMED)

    output.give_back(CLAIMED, rest)
    await said(output, "c")

    await output.flush(CLAIMED)
    await output.stop()
    assert paper.written == [["a", "b", "c"]]
