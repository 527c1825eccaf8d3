"""What is searched for, how what was found ranks, and which of it is shown."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from aegis_project.kit.errors import ValidationFailed

LONGEST = 200
MOST_WORDS = 10
JUDGED = 20_000
"""Characters of a message that its rank and its snippets are made from."""

SNIPPETS = 3
AROUND = 50
SUGGESTIONS = 5
PER_HIT = 0.1
MOST_HITS = 10

WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Query:
    """
    What somebody searches for: the text in small letters, and its words.

    The last word of a text that ends in ``*`` stands for all that begin so.
    """

    text: str
    words: tuple[str, ...]
    is_open: bool = False


class Snippet(NamedTuple):
    """A piece of a text; ``marks`` are where what was searched for begins and ends in it."""

    text: str
    marks: list[tuple[int, int]]


def parse(text: str) -> Query:
    """
    What a text searches for.

    :raises ValidationFailed: without a word, with more than ten, or above 200 characters
    """
    found = tuple(dict.fromkeys(WORD.findall(text.lower())))
    if len(text) > LONGEST or not 0 < len(found) <= MOST_WORDS:
        raise ValidationFailed(
            f"A search has 1 to {MOST_WORDS} words and at most {LONGEST} characters.", field="q"
        )
    said = " ".join(text.lower().split())
    is_open = said.endswith("*")
    return Query(said.rstrip("* "), found, is_open)


def score(query: Query, content: str) -> float:
    """
    How well a message answers a search, as seed 004 has it.

    Where the whole text is found, 1 and a tenth for each time, ten at most; else the share of the
    words that are found. Only the first 20 000 characters are judged.
    """
    said = " ".join(content[:JUDGED].lower().split())
    hits = min(said.count(query.text), MOST_HITS)
    if hits:
        return round(1 + PER_HIT * hits, 3)
    present = set(WORD.findall(said))
    return round(sum(_is_in(query, word, present) for word in query.words) / len(query.words), 3)


def _is_in(query: Query, word: str, present: set[str]) -> bool:
    if word in present:
        return True
    is_begun = query.is_open and word == query.words[-1]
    return is_begun and any(one.startswith(word) for one in present)


def snippets(query: Query, content: str) -> list[Snippet]:
    """At most three pieces of a message around what was found, 50 characters to either side."""
    text = content[:JUDGED]
    found: list[Snippet] = []
    end = -1
    spots = _spots(query, text)
    for first, last in spots:
        if first < end:
            continue
        start, end = max(first - AROUND, 0, end), min(last + AROUND, len(text))
        inside = [(a - start, b - start) for a, b in spots if a >= start and b <= end]
        found.append(Snippet(text[start:end], inside))
        if len(found) == SNIPPETS:
            break
    return found


def _spots(query: Query, text: str) -> list[tuple[int, int]]:
    wanted = set(query.words)
    last = query.words[-1] if query.is_open else None
    return [
        one.span()
        for one in WORD.finditer(text)
        if (word := one[0].lower()) in wanted or (last is not None and word.startswith(last))
    ]


def suggested(query: Query, known: Iterable[str]) -> list[str]:
    """At most five words that stand in these texts and are written nearly as one of the search."""
    words = sorted({word for text in known for word in WORD.findall(text.lower()) if len(word) > 2})
    found: dict[str, None] = {}
    for word in query.words:
        found |= dict.fromkeys(difflib.get_close_matches(word, words, n=SUGGESTIONS, cutoff=0.7))
    return [word for word in found if word not in query.words][:SUGGESTIONS]
