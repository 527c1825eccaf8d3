"""What a model was shown is told by its parts."""

import json

import pytest

from sessions.core import saw
from sessions.core.conversation import Role
from sessions.core.saw import Part
from sessions.core.turns import ToolRequest, Turn


def read(number: int, records: int, head: int, topic: str = "prices") -> list[Turn]:
    asked = ToolRequest(f"call-{number}", saw.READS, {"topic": topic})
    told = {"topic": topic, "head": head, "records": [{}] * records}
    return [
        Turn(Role.ASSISTANT, "", requests=(asked,)),
        Turn(Role.TOOL, json.dumps(told), answers=asked.id),
    ]


def test_a_topic_says_how_much_of_it_was_shown_last_and_all_that_it_took():
    turns = [Turn(Role.USER, "Look."), *read(1, 5, 5), *read(2, 3, 90)]

    _, conversation, prices = saw.parts("Be brief.", turns)

    assert conversation == Part("Conversation", 5, 3)
    assert prices == Part("prices", len(turns[2].content) + len(turns[4].content), 3, 90)
    assert prices.left_out == 87


def test_each_other_tool_says_how_often_it_answered_and_nothing_of_it_is_left_out():
    asked = tuple(ToolRequest(f"c{n}", "clock", {}) for n in (1, 2))
    answers = [Turn(Role.TOOL, '"noon"', answers=one.id) for one in asked]

    instructions, _, clock = saw.parts("", [Turn(Role.ASSISTANT, "", requests=asked), *answers])

    assert (instructions, clock) == (Part("Instructions", 0), Part("clock", 12, 2))
    assert clock.left_out == 0


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"topic": "prices"}', '{"state": "failed"}'])
def test_a_reading_that_failed_is_the_answer_of_a_tool(content: str):
    asked = ToolRequest("c1", saw.READS, {})
    turns = [Turn(Role.ASSISTANT, "", requests=(asked,)), Turn(Role.TOOL, content, answers="c1")]

    assert saw.parts("", turns)[2] == Part(saw.READS, len(content), 1)


def test_an_answer_to_nothing_that_is_known_is_a_tool_s():
    assert saw.parts("", [Turn(Role.TOOL, "?", answers="gone")])[2] == Part("tool", 1, 1)


def test_what_the_model_said_last_it_was_not_shown():
    question, asks, answer = Turn(Role.USER, "?"), read(1, 1, 1), Turn(Role.ASSISTANT, "!")

    assert saw.before_answer([question, *asks, answer]) == [question, *asks]
    assert saw.before_answer([question, asks[0]]) == [question, asks[0]]
    assert saw.before_answer([]) == []


@pytest.mark.parametrize(
    ("tool", "source", "is_reading"),
    [
        ("read_topic", "builtin", True),
        ("read_topic", "component", False),
        ("other", "builtin", False),
    ],
)
def test_a_reading_is_of_the_tool_that_is_part_of_aegis(tool, source, is_reading):
    assert saw.is_reading(tool, source) is is_reading
