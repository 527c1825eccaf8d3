"""Sparklines: a rate over the last two minutes as one small line."""

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString

Size = tuple[int, int]
"""Width and height in CSS pixels."""

IN_TABLES: Size = (76, 22)
IN_CARDS: Size = (128, 30)
# Room for the dot at the end and the thickness of the line.
RIGHT, EDGE = 3.0, 3.0


def spark(rates: Sequence[float], *, is_silent: bool = False, size: Size = IN_TABLES) -> SafeString:
    """
    The line with a dot at its end; a silent end is drawn as odd. Its scale is its own maximum.

    It says nothing that does not stand beside it in figures, so it is hidden from readers.
    """
    if len(rates) < 2:
        return SafeString('<svg class="ae-spark" aria-hidden="true"></svg>')
    points = _points(rates, size)
    quiet = _quiet(rates) if is_silent else 0
    cut = len(points) - quiet
    odd = points[max(cut - 1, 0) :] if quiet else []
    x, y = points[-1]
    return format_html(
        '<svg class="ae-spark" viewBox="0 0 {} {}" aria-hidden="true"{}>{}'
        '<polyline points="{}"/><polyline class="ae-spark-odd" points="{}"/>'
        '<circle cx="{}" cy="{}" r="2.2"/></svg>',
        *size,
        SafeString(" data-odd") if quiet else "",
        _area(points, size) if size == IN_CARDS else "",
        _path(points[: max(cut, 1)]),
        _path(odd),
        f"{x:.1f}",
        f"{y:.1f}",
    )


def _area(points: Sequence[tuple[float, float]], size: Size) -> SafeString:
    foot = [(points[-1][0], size[1] - EDGE), (points[0][0], size[1] - EDGE)]
    return format_html('<polygon points="{}"/>', _path([*points, *foot]))


def _points(rates: Sequence[float], size: Size) -> list[tuple[float, float]]:
    top = max(rates) or 1.0
    step = (size[0] - RIGHT - EDGE) / (len(rates) - 1)
    height = size[1] - 2 * EDGE
    return [
        (EDGE + place * step, size[1] - EDGE - rate / top * height)
        for place, rate in enumerate(rates)
    ]


def _quiet(rates: Sequence[float]) -> int:
    count = 0
    for rate in reversed(rates):
        if rate:
            break
        count += 1
    return count


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
