"""Two sessions side by side: what was done in each, and the first thing that differs."""

import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET

from aegis_project import marks
from aegis_project.kit.errors import AegisError
from components.admin.asking import asking
from sessions.admin import events
from sessions.admin.fragments import found_by
from sessions.core.sidebyside import Pair
from sessions.models import Session
from sessions.selectors import comparing, sessions
from sessions.selectors.comparing import Comparison, Side

ROWS = 100
BEFORE = 5
LONGEST = 300
WORDS = {
    "same": "same",
    "differs": "differs",
    "left": "only the first",
    "right": "only the second",
}


@require_GET
def show(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The session beside the one that is named, or that it was made of; nothing is changed."""
    principal = asking(request)
    if not comparing.may(principal):
        raise PermissionDenied
    session = found_by(lambda: sessions.find(principal, session_id))
    reference = request.GET.get("with", "").replace("\x00", "").strip()[:200]
    other, problem = None, None
    try:
        other = comparing.other_of(principal, session, reference)
    except AegisError as error:
        problem = error
    context = {
        **admin.site.each_context(request),
        "title": f"Compare {session.name or session.key}",
        "is_fullwidth": "1",
        "session": session,
        "reference": reference or (other.key if other else ""),
        "problem": problem,
        "request_id": getattr(request, "request_id", ""),
    }
    if other is not None:
        found = comparing.compare(principal, session, other)
        context |= _table(found, request.GET.get("row", ""))
    status = problem.status if problem else 200
    return TemplateResponse(request, "admin/aegis/compare.html", context, status=status)


def _table(found: Comparison, asked: str) -> dict[str, Any]:
    count = len(found.pairs)
    begin = max(0, found.common - BEFORE)
    if asked.isascii() and asked.isdecimal() and len(asked) < 10:
        begin = min(int(asked), count)
    shown = found.pairs[begin : begin + ROWS]
    words = [
        _words(side, [_seq(pair, at) for pair in shown])
        for at, side in enumerate((found.left, found.right))
    ]
    return {
        "is_compared": True,
        "sides": [_head(found.left), _head(found.right)],
        "common": found.common,
        "count": count,
        "is_same": found.is_same,
        "is_cut": found.left.is_cut or found.right.is_cut,
        "most": marks.number(comparing.MOST),
        "begin": begin,
        "end": begin + len(shown),
        "earlier": max(0, begin - ROWS) if begin else None,
        "later": begin + ROWS if begin + ROWS < count else None,
        "is_first_shown": begin <= found.common < begin + len(shown),
        "rows": [
            _row(pair, words, is_first=place == found.common)
            for place, pair in enumerate(shown, begin)
        ],
    }


def _head(side: Side) -> dict[str, Any]:
    session: Session = side.session
    return {
        "session": session,
        "state": marks.chip(session.state, marks.SESSION),
        "after": side.after,
    }


def _seq(pair: Pair, at: int) -> int | None:
    one = (pair.left, pair.right)[at]
    return one.seq if one else None


def _words(side: Side, places: list[int | None]) -> dict[int, Any]:
    wanted = [side.events[seq] for seq in places if seq is not None]
    return {row.seq: row for row in events.in_words(side.session.pk, wanted)}


def _row(pair: Pair, words: list[dict[int, Any]], *, is_first: bool) -> dict[str, Any]:
    places = [_seq(pair, at) for at in (0, 1)]
    sides = [None if seq is None else words[at][seq] for at, seq in enumerate(places)]
    return {
        "sides": sides,
        "word": WORDS[pair.verdict],
        "is_first": is_first,
        "is_same": pair.is_same,
        "differences": _differences(pair),
    }


def _differences(pair: Pair) -> list[tuple[str, str, str]]:
    """What is otherwise: its name, and what each side has, which is empty where it has nothing."""
    found = {one.path.lstrip("/"): one for one in pair.differences()}
    digest = found.pop("sha256", None)
    told = [
        (
            name,
            "" if one.kind == "added" else _text(one.before),
            "" if one.kind == "removed" else _text(one.after),
        )
        for name, one in found.items()
    ]
    # Two long texts may begin alike.
    return told or ([("the text, further on", "", "")] if digest else [])


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
