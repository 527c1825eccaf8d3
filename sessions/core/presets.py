"""The templates that there always are, in texts of our own."""

from dataclasses import dataclass
from typing import Any

from sessions.core.recipes import Category


@dataclass(frozen=True, slots=True)
class System:
    """
    A template of the system.

    ``version`` counts its recipes: whoever changes one raises it, and installations follow.
    """

    slug: str
    name: str
    description: str
    category: Category
    recipe: dict[str, Any]
    version: int = 1


def _chat(instructions: str, *prompts: str, tags: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "kind": "chat",
        "agent": "assistant",
        "messages": [{"role": "system", "content": instructions}],
        "prompts": list(prompts),
        "tags": list(tags),
        "config": {"max_messages": 1000, "timeout_minutes": 1440},
    }


CHATS = (
    System(
        "coding-assistant",
        "Coding assistant",
        "Reads, writes and explains code with you, in small steps that can be checked.",
        Category.CODING,
        _chat(
            "You help somebody to write software. Ask for the language and its version if they "
            "matter and are not said. Show whole functions, not fragments. Say which assumption "
            "you make, what could go wrong, and how to check that it works.",
            "Explain what this function does, line by line.",
            "Find the bug in this code and say how you found it.",
            "Write tests for this module, the unpleasant cases first.",
            "How would you make this simpler without changing what it does?",
        ),
    ),
    System(
        "writing-assistant",
        "Writing assistant",
        "Drafts, shortens and polishes texts in the voice of whoever writes.",
        Category.WRITING,
        _chat(
            "You help somebody to write. Keep their voice and their facts. Prefer short sentences "
            "and plain words. When you change a text, give the new text first and then, in a few "
            "lines, what you changed and why. Never invent a source.",
            "Make this text half as long and keep its meaning.",
            "Draft a friendly answer to this message.",
            "Which three sentences of this are the weakest, and why?",
            "Write an outline for an article on this subject.",
        ),
    ),
    System(
        "data-analyst",
        "Data analyst",
        "Looks at data with care: what is there, what is missing, what follows and what does not.",
        Category.ANALYSIS,
        _chat(
            "You help somebody to understand data. Begin with what the data are, how many there "
            "are and what is missing. Give figures with their units. Keep apart what the data "
            "show and what you suspect. Suggest the next look that would tell most.",
            "Describe this file: columns, gaps, odd values.",
            "Which of these figures changed most, and since when?",
            "How could I tell whether this difference is chance?",
            "Which chart would show this best, and which would mislead?",
        ),
    ),
    System(
        "brainstorm",
        "Brainstorm",
        "Many ideas first, judgement afterwards.",
        Category.BRAINSTORM,
        _chat(
            "You think along with somebody. First widen: many short, different ideas, odd ones "
            "among them, without judging. Narrow only when asked: group them, name the strongest "
            "of each group and what would have to be true for it to work.",
            "Give me twenty names for this, none of them obvious.",
            "What would we do if we had a tenth of the money?",
            "Turn this idea round: how would we make it fail?",
            "Group these ideas and pick one of each group.",
        ),
    ),
    System(
        "learning",
        "Learning",
        "Explains a subject step by step and asks back.",
        Category.LEARNING,
        _chat(
            "You teach somebody. Find out what they know already. Explain one step at a time with "
            "an example of everyday life, then ask a question that shows whether it was "
            "understood. Praise sparingly, correct kindly, and never leave an error standing.",
            "Explain this to me as if I had never heard of it.",
            "Ask me five questions about this, from easy to hard.",
            "What should I learn first, second and third?",
            "I think I understand it. Find the hole in my explanation.",
            tags=("learning",),
        ),
    ),
)

STREAMS = (
    System(
        "market-stream",
        "Market stream",
        "A feed of prices, a strategy that follows it and a watcher, with recorded topics.",
        Category.STREAMS,
        {
            "kind": "stream",
            "environment": "test",
            "agent": "assistant",
            "components": [
                {"name": "prices", "role": "feed", "required": False, "topics": ["klines.**"]},
                {"name": "strategy", "role": "strategy", "required": False},
                {"name": "watcher", "role": "observer", "required": False},
            ],
            "prompts": [
                "What has the feed sent in the last minute?",
                "Which topic is silent, and since when?",
                "What did the strategy decide, and on which price?",
                "Is anything in this session late or lost?",
            ],
            "config": {
                "topics": [{"pattern": "klines.**", "recorded": True, "tape": {"days": 7}}],
                "idle_minutes": 60,
            },
        },
    ),
    System(
        "metrics-watch",
        "Metrics watch",
        "Measurements of machines or services come in; an agent answers questions about them.",
        Category.STREAMS,
        {
            "kind": "metrics",
            "agent": "assistant",
            "components": [
                {"name": "metrics", "role": "feed", "required": False, "topics": ["metrics.**"]}
            ],
            "prompts": [
                "Which measurement is furthest from what it usually is?",
                "What changed in the last hour?",
                "Which measurements move together?",
                "What should I set an alarm on?",
            ],
            "config": {"topics": [{"pattern": "metrics.**", "retention": {"records": 100_000}}]},
        },
    ),
)

OPERATIONS = (
    System(
        "ops-incident",
        "Incident",
        "A fault that people and agents work on together; every call of a tool asks first.",
        Category.OPERATIONS,
        {
            "kind": "custom",
            "environment": "production",
            "agent": "assistant",
            "messages": [
                {
                    "role": "system",
                    "content": "You help to end an incident. Keep a list of what is known, when "
                    "it was seen and by whom. Propose the smallest step that tells more or limits "
                    "harm. Nothing irreversible without a decision by a person.",
                }
            ],
            "prompts": [
                "Summarise what is known so far, with times.",
                "What changed shortly before it began?",
                "What is the smallest step that limits the harm?",
                "Write the note for those who are affected.",
            ],
            "tags": ["important"],
            "config": {"policy": "manual"},
        },
    ),
    System(
        "policy-audit",
        "Policy audit",
        "Goes through what tools were asked for, and what the policies made of it.",
        Category.OPERATIONS,
        {
            "kind": "audit",
            "agent": "assistant",
            "messages": [
                {
                    "role": "system",
                    "content": "You look through decisions. For each, say what was asked for, by "
                    "whom, which rule counted, who decided and how long it took. Name what no "
                    "rule foresaw. Judge the rules, not the people.",
                }
            ],
            "prompts": [
                "Which calls were let by that should have asked?",
                "Which rule was never the one that counted?",
                "Where did people wait longest for a decision?",
                "Propose one rule less.",
            ],
            "config": {"policy": "manual"},
        },
    ),
)

SYSTEM = (*CHATS, *STREAMS, *OPERATIONS)
"""Five of seed 004, then those for streams and operations."""
