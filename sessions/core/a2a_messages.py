"""What a client of A2A says: as words for an agent, or as the decision that a task waits for."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from aegis_project.kit.errors import ValidationFailed

YES = frozenset({"approve", "approved", "yes"})
NO = frozenset({"reject", "rejected", "no"})

HOW = (
    'The task waits for a decision: say approve or reject, or send a data part {"approved": true}, '
    'with "approval" for one of several and "reason" if there is one.'
)


class Decision(msgspec.Struct, frozen=True):
    """Approve or reject what is asked; ``approval`` names one of several, none is all."""

    approved: bool
    approval: str = ""
    reason: str = ""


def words(parts: Sequence[Mapping[str, Any]]) -> str:
    """
    What an agent is told: texts as they are, data as JSON, an address as itself.

    Files come with the message and not in its words.
    """
    return "\n\n".join(said for part in parts if (said := _words(part)))


def _words(part: Mapping[str, Any]) -> str:
    if "text" in part:
        return str(part["text"])
    if "data" in part:
        return msgspec.json.encode(part["data"]).decode()
    return str(part.get("url", ""))


def decisions(parts: Sequence[Mapping[str, Any]]) -> list[Decision]:
    """
    What somebody decides in an answer to a task that waits for a decision.

    :raises ValidationFailed: if the parts decide nothing
    """
    told = [_decision(part["data"]) for part in parts if "data" in part]
    return told or [_by_word(words(parts))]


def _decision(value: Any) -> Decision:
    try:
        return msgspec.convert(value, Decision)
    except msgspec.ValidationError:
        raise ValidationFailed(HOW) from None


def _by_word(text: str) -> Decision:
    word = text.strip().rstrip(".!").lower()
    if word not in YES | NO:
        raise ValidationFailed(HOW)
    return Decision(word in YES)
