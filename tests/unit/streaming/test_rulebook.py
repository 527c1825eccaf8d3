import asyncio

from streaming.core.rules import Rule, Rules
from streaming.engines.rulebook import RuleBook


class Said:
    """What sessions say of their topics, and how often they were asked."""

    def __init__(self, **said):
        self.said = said
        self.asked = []

    async def load(self, session_ids):
        self.asked.append(sorted(session_ids))
        await asyncio.sleep(0)
        return {one: self.said[one] for one in session_ids if one in self.said}


def rules_of(*patterns):
    return Rules(tuple(Rule(pattern) for pattern in patterns))


async def test_rules_are_read_once_and_again_after_a_hint():
    said = Said(a=[{"pattern": "x"}])
    book = RuleBook(said.load)

    first = [await book.of("a"), await book.of("a")]
    said.said["a"] = [{"pattern": "y"}]
    book.hear("a")
    book.hear("b")

    assert first == [rules_of("x")] * 2
    assert await book.of("a") == book.known("a") == rules_of("y")
    assert said.asked == [["a"], ["a"]]


async def test_hint_about_anything_waits_for_the_renewal():
    said = Said(a=[{"pattern": "x"}], b=[])
    book = RuleBook(said.load)
    await book.of("a")
    await book.of("b")
    said.said["a"] = [{"pattern": "y"}]

    book.hear("")
    before = await book.of("a")
    await book.renew()
    await book.renew()

    assert (before, await book.of("a")) == (rules_of("x"), rules_of("y"))
    assert said.asked == [["a"], ["b"], ["a", "b"]]


async def test_change_is_told_and_nothing_else():
    said, told = Said(a=[{"pattern": "x"}], b=None), []
    book = RuleBook(said.load)
    book.listen(lambda *change: told.append(change))
    await book.of("a")
    await book.of("b")

    book.hear("a")
    book.hear("b")
    said.said["a"] = [{"pattern": "y"}]
    await book.renew()

    assert told == [("a", rules_of("y"))]


async def test_hint_that_comes_while_they_are_read_is_not_lost():
    said = Said(a=[{"pattern": "x"}])
    book = RuleBook(said.load)
    await book.of("a")
    book.hear("a")

    reading = asyncio.create_task(book.of("a"))
    await asyncio.sleep(0)
    book.hear("a")
    await reading
    said.said["a"] = [{"pattern": "y"}]

    assert await book.of("a") == rules_of("y")


async def test_rules_that_nobody_can_read_are_none():
    book = RuleBook(Said(a="nonsense").load)

    assert await book.of("a") == Rules()


async def test_forgotten_session_is_read_anew():
    said = Said(a=[{"pattern": "x"}])
    book = RuleBook(said.load)
    await book.of("a")

    book.forget("a")

    assert book.known("a") == Rules()
    assert await book.of("a") == rules_of("x")


async def test_sessions_that_are_not_served_are_let_go():
    said = Said(a=[{"pattern": "x"}], b=[], c=[{"pattern": "x", "recorded": True}])
    book = RuleBook(said.load)
    for one in "abc":
        await book.of(one)

    book.tidy({"a"})
    book.hear("")
    await book.renew()

    assert [book.holds(one) for one in "abc"] == [True, False, True]
    assert said.asked[3:] == [["a", "c"]]


async def test_a_look_is_not_kept():
    said = Said(a=[{"pattern": "x"}])
    book = RuleBook(said.load)

    looked = await book.peek("a")
    is_held = book.holds("a")
    await book.of("a")

    assert (looked, is_held) == (rules_of("x"), False)
    assert await book.peek("a") == looked
    assert said.asked == [["a"], ["a"]]


async def test_without_sessions_there_are_no_rules():
    assert await RuleBook().of("a") == Rules()
