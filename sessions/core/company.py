"""Who is in a session together, in the words of seed 003: people, external agents, personas."""

from collections.abc import Iterable
from typing import Literal

from sessions.core.lifecycle import Environment

Participant = Literal["human", "ai", "persona"]

SHARED = "shared"
"""The owner of a session that belongs to nobody alone."""

WORDS: dict[str, Participant] = {"human": "human", "ai": "ai", "persona": "persona"}
# What sends messages without being one of these is Aegis itself.
KINDS: dict[str, Participant] = {
    "user": "human",
    "open": "human",
    "credential": "ai",
    "component": "ai",
    "agent": "ai",
}


def participants(
    *, owner: str, actors: Iterable[str], environment: Environment
) -> list[Participant]:
    """
    A word for each who takes part, once, the owner first and the others as they came.

    ``actors`` are ``kind:label``. A label says itself what it is where it begins as the seed's
    owners do (``ai-claude``); what follows is the name, under which somebody counts once. An agent
    in an environment for personas is one.
    """
    found: dict[str, Participant] = {}
    if owner and owner != SHARED:
        word, name = _said(owner)
        found[name] = word or ("persona" if environment is Environment.PERSONA else "human")
    for actor in actors:
        kind, _, label = actor.partition(":")
        word, name = _said(label)
        if kind in KINDS:
            found.setdefault(name, word or _of_kind(kind, environment))
    return list(found.values())


def _said(label: str) -> tuple[Participant | None, str]:
    """What a label says of itself, and the name in it."""
    word, dash, name = label.partition("-")
    return (WORDS[word], name) if dash and name and word in WORDS else (None, label)


def _of_kind(kind: str, environment: Environment) -> Participant:
    is_persona = kind == "agent" and environment is Environment.PERSONA
    return "persona" if is_persona else KINDS[kind]
