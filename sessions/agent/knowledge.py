"""The little that the scripted assistant knows, so that it can be talked to without a model."""

import re
from dataclasses import dataclass

ARTICLES = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Topic:
    """Something to talk about: what it is, more of it, and examples."""

    name: str
    summary: str
    more: str
    examples: tuple[str, ...]


TOPICS = (
    Topic(
        "AI agents",
        "AI agents are programs that pursue a goal on their own: they look at a situation, decide"
        " with the help of a model what to do next, use tools to do it, and look again.",
        "What sets AI agents apart from a chat is that they act. That is why their tools, their"
        " budget and the approval of risky steps matter as much as the model they think with.",
        (
            "a support agent that reads a ticket, looks up the order and drafts the answer",
            "a trading watch that follows prices, notes what is unusual and asks before it acts",
            "a coding agent that reads a repository, changes files and runs the tests",
            "a research agent that searches sources, compares them and cites what it found",
            "an operations agent that reads logs, finds the cause of a fault and proposes a fix",
        ),
    ),
    Topic(
        "quantum computing",
        "Quantum computing is computing with qubits, which can be in a superposition of 0 and 1"
        " and can be entangled with each other. An algorithm lets the amplitudes of wrong answers"
        " cancel and those of right ones add up, so that a measurement likely gives a right one.",
        "Quantum computing does not make every program faster. It helps where the structure of a"
        " problem lets amplitudes interfere; the hard part is to keep qubits undisturbed, which is"
        " why so much work goes into the correction of errors.",
        (
            "factoring large numbers with Shor's algorithm",
            "searching unsorted data with Grover's algorithm",
            "simulating molecules for chemistry and medicine",
            "sampling from distributions that are hard for other computers",
            "distributing keys whose interception would be noticed",
        ),
    ),
    Topic(
        "Aegis",
        "Aegis is a control plane for live sessions: components that stream data and agents that"
        " work with models live in one session, under one lever, on one timeline, behind one"
        " approval gate.",
        "In Aegis everything that happens is an event with a position. That is why it can be"
        " followed live, read again after a fault, and replayed.",
        (
            "a feed of prices with a strategy and a sink, paused and started as one",
            "a chat with an agent whose risky tool calls wait for a person",
            "a replay of yesterday's data at ten times its speed",
        ),
    ),
    Topic(
        "large language models",
        "Large language models are neural networks that were trained to go on with a text, token"
        " by token. From that they learn enough of language and the world to answer questions.",
        "Large language models know nothing of your session but what stands in their prompt. They"
        " can be wrong in a convincing tone, so what matters is checked.",
        (
            "summarising a long report",
            "turning a question into a query of a database",
            "choosing the next tool of an agent",
            "explaining a piece of code",
        ),
    ),
    Topic(
        "streaming",
        "Streaming is sending data while it comes into being instead of at its end, so that a"
        " reader sees the first word of an answer while the last is still being made.",
        "Good streaming numbers what it sends. Whoever was cut off says which number came last and"
        " gets the rest, once and in order.",
        (
            "the words of an answer over Server-Sent Events",
            "prices of a market over a WebSocket",
            "the log of a process that still runs",
        ),
    ),
)
_PLURALS = {"ai agent": "ai agents", "agent": "ai agents", "agents": "ai agents"}
_PLURALS |= {"llm": "large language models", "llms": "large language models"}
_PLURALS |= {"quantum computers": "quantum computing", "quantum computer": "quantum computing"}


def find(subject: str) -> Topic | None:
    """What is known of a subject, however it is written, or None."""
    name = ARTICLES.sub("", subject.strip()).lower()
    name = _PLURALS.get(name, name)
    return next((one for one in TOPICS if one.name.lower() == name), None)
