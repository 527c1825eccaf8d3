"""What the agent of a run was shown, beside the conversation."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from aegis_project import marks
from components.admin.asking import asking
from sessions.admin.fragments import fragment
from sessions.core.saw import Part
from sessions.selectors import history, saw


@require_GET
@fragment
def show(request: HttpRequest, session_id: UUID, run_id: UUID) -> HttpResponse:
    """The parts of what a run was shown, with their sizes and what was left out."""
    session = history.readable(asking(request), str(session_id))
    found = saw.of(session, run_id)
    context = {
        "saw": found,
        "tokens": marks.number(found.tokens),
        "parts": [_row(one) for one in found.parts],
        "bars": _bars([one.size for one in found.parts]),
        "left_out": [_sentence(one) for one in found.parts if one.left_out],
    }
    return render(request, "admin/aegis/session/saw.html", context)


def _row(one: Part) -> dict[str, Any]:
    return {
        "name": one.name,
        "characters": marks.number(one.size),
        "shown": _shown(one),
        "is_partial": bool(one.left_out),
    }


def _bars(sizes: Sequence[int]) -> list[tuple[str, str]]:
    """Where each part begins and how wide it is, in hundredths of all."""
    whole = sum(sizes) or 1
    ends = list(accumulate(sizes, initial=0))
    return [
        (f"{100 * begin / whole:.2f}", f"{100 * size / whole:.2f}")
        for begin, size in zip(ends, sizes, strict=False)
    ]


def _shown(one: Part) -> str:
    if one.shown is None:
        return "all"
    if one.whole is None:
        return marks.number(one.shown)
    if not one.left_out:
        return f"all {marks.number(one.whole)}"
    return f"{marks.number(one.shown)} of {marks.number(one.whole)}"


def _sentence(one: Part) -> str:
    count = marks.number(one.left_out)
    what = "record" if one.left_out == 1 else "records"
    return f"{one.name}: {count} {what} did not enter the prompt."
