"""How the scripted assistant answers: from what was said in this conversation and nothing else."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sessions.agent import knowledge
from sessions.agent.protocol import Turn
from sessions.core.conversation import Role

NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "a": 1, "an": 1, "some": 3}
MOST_EXAMPLES = 5
MY = r"\b(?i:my) (?P<what>[\w ]{1,40}?) (?i:is|are) (?P<value>[^.!?\n]{1,80})"
CALLED = r"\b(?:(?i:call me|i am|i'm)) (?P<value>[A-Z][\w'-]*)"
ABOUT = re.compile(
    r"\b(?:what(?:'s| is| are)|explain|describe|define|tell me (?:more )?about|talk about"
    r"|how do(?:es)?|poem about|haiku about|story about) (?P<topic>[^.!?\n]{2,80}?)"
    r"(?: works?)?(?: to me| please)?[.!?\n]*$",
    re.IGNORECASE,
)
SUM = re.compile(r"(?P<left>-?\d{1,15})\s*(?P<sign>[-+*×])\s*(?P<right>-?\d{1,15})")


@dataclass(slots=True)
class Known:
    """What the user told, and what was talked about."""

    facts: dict[str, str] = field(default_factory=dict)
    topic: str = ""
    before: str = ""

    @property
    def name(self) -> str:
        """What the user is called; empty if it was not told."""
        return self.facts.get("name", "")


Rule = Callable[[str, Known], str]
"""An answer to what was just said, given what was known before; empty if it has none."""


def answer(turns: Sequence[Turn]) -> str:
    """The answer to the last words of the user."""
    said = [turn.content for turn in turns if turn.role == Role.USER]
    known = Known()
    for text in said[:-1]:
        _learn(text, known)
    text = said[-1].strip() if said else ""
    return next(filter(None, (rule(text, known) for rule in RULES)), "")


def _learn(text: str, known: Known) -> None:
    known.facts |= dict(_told(text))
    known.topic = _topic(text) or known.topic
    known.before = text.strip()


def _told(text: str) -> Iterator[tuple[str, str]]:
    """What a text tells of its user; a question tells nothing."""
    for found in re.finditer(MY, text):
        if not _is_question(text):
            value = re.split(r",? (?:and|but) ", found["value"])[0].strip(" ,")
            yield found["what"].lower().removeprefix("full "), value
    called = re.search(CALLED, text)
    if called and not _is_question(text):
        yield "name", called["value"]


def _topic(text: str) -> str:
    found = ABOUT.search(text)
    if found is None or re.match(r"(?:my|your|the time)\b", found["topic"], re.IGNORECASE):
        return ""
    return found["topic"].strip()


def _is_question(text: str) -> bool:
    return text.rstrip().endswith("?") or bool(re.match(r"(?:what|who|do you)\b", text.lower()))


def _asked_name(text: str, known: Known) -> str:
    if not re.search(r"\bwho am i\b|\bmy name\b", text, re.IGNORECASE) or not _is_question(text):
        return ""
    if known.name:
        return f"Your name is {known.name}."
    return "You have not told me your name yet."


def _asked_fact(text: str, known: Known) -> str:
    found = re.search(r"\bwhat(?:'s| is| are) my (?P<what>[\w ]+)", text, re.IGNORECASE)
    if found is None:
        return ""
    what = found["what"].strip().lower()
    if what in known.facts:
        return f"Your {what} is {known.facts[what]}."
    return f"You have not told me your {what} yet."


def _asked_before(text: str, known: Known) -> str:
    if not re.search(r"\bwhat (?:did i (?:just )?(?:say|ask)|was my last)\b", text.lower()):
        return ""
    return f"You said: “{known.before}”" if known.before else "This is the first thing you say."


def _told_now(text: str, _known: Known) -> str:
    told = dict(_told(text))
    if "name" in told:
        return f"Nice to meet you, {told['name']}! I will remember your name in this session."
    if told:
        what, value = next(iter(told.items()))
        return f"I will remember that your {what} is {value}."
    return ""


def _sum(text: str, _known: Known) -> str:
    found = SUM.search(text)
    if found is None:
        return ""
    left, right, sign = int(found["left"]), int(found["right"]), found["sign"]
    result = {"+": left + right, "-": left - right}.get(sign, left * right)
    return f"{left} {sign} {right} = {result}"


def _poem(text: str, known: Known) -> str:
    if not re.search(r"\b(?:poem|haiku|verse)\b", text, re.IGNORECASE):
        return ""
    subject = _topic(text) or known.topic or "this session"
    return (
        f"A thought that wakes in lines of light,\nit learns by day, it counts by night;\n"
        f"of {subject} it tries to sing,\na patient and a curious thing.\n"
        f"It asks before it moves a hand,\nand tells you all it came to plan."
    )


def _examples(text: str, known: Known) -> str:
    found = re.search(r"(?:(?P<count>\d+|\w+) )?(?:more )?examples?\b", text, re.IGNORECASE)
    if found is None:
        return ""
    subject = _subject_of_examples(text) or known.topic
    if not subject:
        return "Examples of what? Tell me what you think of."
    word = (found["count"] or "three").lower()
    count = int(word) if word.isdigit() else NUMBERS.get(word, 3)
    return _listed(subject, max(1, min(count, MOST_EXAMPLES)))


def _subject_of_examples(text: str) -> str:
    found = re.search(r"\bexamples? (?:of|for) (?P<topic>[^.!?\n]{2,80})", text, re.IGNORECASE)
    return found["topic"].strip() if found else ""


def _listed(subject: str, count: int) -> str:
    topic = knowledge.find(subject)
    if topic is None:
        return f"I know no examples of {subject}: no model is configured, and I only have a script."
    chosen = topic.examples[:count]
    lines = "\n".join(f"{number}. {one}" for number, one in enumerate(chosen, start=1))
    return f"Here {_are(len(chosen))} of {topic.name}:\n{lines}"


def _are(count: int) -> str:
    return "is 1 example" if count == 1 else f"are {count} examples"


def _explained(text: str, known: Known) -> str:
    subject = _topic(text)
    is_more = bool(re.search(r"\b(?:more|go on|why|continue)\b", text, re.IGNORECASE))
    if not subject and is_more:
        topic = knowledge.find(known.topic)
        return topic.more if topic else ""
    topic = knowledge.find(subject)
    if topic is not None:
        is_known = knowledge.find(known.topic) is topic
        return topic.more if is_more and is_known else topic.summary
    if not subject:
        return ""
    return (
        f"You ask about {subject}. No model is configured, so I answer from a script and know"
        f" nothing of it; set AEGIS_MODEL and a key to ask a model."
    )


def _greeting(text: str, known: Known) -> str:
    greeting = r"(?:say )?(?:hello|hi|hey|good (?:morning|evening|day))\b"
    if re.match(greeting, text, re.IGNORECASE):
        return f"Hello{f', {known.name}' if known.name else ''}! What would you like to do?"
    if re.search(r"\b(?:thanks|thank you)\b", text, re.IGNORECASE):
        return f"You are welcome{f', {known.name}' if known.name else ''}."
    return ""


def _otherwise(text: str, known: Known) -> str:
    if not text:
        return "I am here. Tell me something, or ask what we talked about."
    quoted = text if len(text) <= 200 else f"{text[:199]}…"
    context = f" We were talking about {known.topic}." if known.topic else ""
    return f"You said: “{quoted}”.{context} I am the scripted assistant; no model is configured."


RULES: tuple[Rule, ...] = (
    _asked_name,
    _asked_before,
    _asked_fact,
    _told_now,
    _sum,
    _poem,
    _examples,
    _explained,
    _greeting,
    _otherwise,
)
