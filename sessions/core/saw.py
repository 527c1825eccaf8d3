"""What a model was shown in a run: how much of what, and what was left out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sessions.core.conversation import Role
from sessions.core.turns import Turn

READS = "read_topic"
"""The tool whose answers are records of a topic: ``{topic, head, records}``."""


def is_reading(tool: str, source: str) -> bool:
    """Whether it is that tool, and none of a component or package that is called so."""
    return (source, tool) == ("builtin", READS)


@dataclass(frozen=True, slots=True)
class Part:
    """
    One part of what was shown.

    ``size`` counts characters. Of a topic, ``shown`` records of ``whole`` were in the last answer
    to a reading of it; of the conversation and of a tool, ``shown`` counts messages and answers,
    and ``whole`` is None.
    """

    name: str
    size: int
    shown: int | None = None
    whole: int | None = None

    @property
    def left_out(self) -> int:
        """How many records of a topic were not shown."""
        return max(self.whole - (self.shown or 0), 0) if self.whole is not None else 0


def parts(instructions: str, turns: Sequence[Turn]) -> list[Part]:
    """The instructions, the conversation, each topic that was read, and each other tool's answers."""
    asked = {one.id: one.tool for turn in turns for one in turn.requests}
    said = [turn for turn in turns if turn.role is not Role.TOOL]
    answers = [turn for turn in turns if turn.role is Role.TOOL]
    topics: dict[str, Part] = {}
    tools: dict[str, Part] = {}
    for turn in answers:
        tool = asked.get(turn.answers, "tool")
        read = _read(turn.content) if tool == READS else None
        if read is None:
            before = tools.get(tool, Part(tool, 0, 0))
            size, count = before.size + len(turn.content), before.shown or 0
            tools[tool] = Part(tool, size, count + 1)
        else:
            topic, records, head = read
            size = len(turn.content) + (topics[topic].size if topic in topics else 0)
            topics[topic] = Part(topic, size, records, head)
    return [
        Part("Instructions", len(instructions)),
        Part("Conversation", sum(len(turn.content) for turn in said), len(said)),
        *topics.values(),
        *tools.values(),
    ]


def before_answer(turns: Sequence[Turn]) -> Sequence[Turn]:
    """Without what the model said last, which it was not shown but made."""
    is_answered = bool(turns) and turns[-1].role is Role.ASSISTANT and not turns[-1].requests
    return turns[:-1] if is_answered else turns


def _read(content: str) -> tuple[str, int, int] | None:
    try:
        told: Any = json.loads(content)
        return str(told["topic"]), len(told["records"]), int(told["head"])
    except (ValueError, TypeError, KeyError):
        return None
