"""The heartbeat strip: the last marks of a component, drawn, in a sentence and in a table."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from aegis_project import marks
from components.core import beats
from components.core.beats import Beat, Sign
from components.models import Component

# Of each mark: its width, and the place to the next, in CSS pixels.
WIDE, STEP = 3, 4
HIGH = 24
WORDS = {
    Sign.CONNECTED: "connected",
    Sign.HEARD: "heard",
    Sign.LATE: "late",
    Sign.LOST: "lost",
}
GAP = "gap"
# Where the bar of a mark begins and how high it is: who sees no colour reads the height.
BARS = {"connected": (0, 24), "heard": (6, 18), GAP: (6, 18), "late": (14, 10), "lost": (21, 3)}


def drawn(component: Component) -> SafeString:
    """The strip alone, named by its sentence; nothing for one that never came."""
    found = beats.read(component.beats)
    if not found:
        return SafeString("")
    bars: dict[str, list[str]] = defaultdict(list)
    first = (beats.KEPT - len(found)) * STEP
    for place, beat in enumerate(found):
        top, height = BARS[word(beat)]
        bars[word(beat)].append(f"M{first + place * STEP} {top}h{WIDE}v{height}h-{WIDE}z")
    return format_html(
        '<svg class="ae-beats" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"'
        ' aria-label="{}">'
        '<path class="ae-beats-base" d="M0 23h{}v1h-{}z"/>{}</svg>',
        beats.KEPT * STEP,
        HIGH,
        _sentence(found),
        beats.KEPT * STEP,
        beats.KEPT * STEP,
        format_html_join(
            "", '<path data-word="{}" d="{}"/>', ((name, "".join(d)) for name, d in bars.items())
        ),
    )


def figure(component: Component, *, now: datetime) -> SafeString:
    """The strip as wide as its place, each mark within reach, and what the heights mean."""
    found = beats.read(component.beats)
    if not found:
        return SafeString('<p class="ae-muted">It never connected, so there is no beat yet.</p>')
    return format_html(
        '<div class="ae-marks" id="ae-marks" role="slider" tabindex="0"'
        ' aria-label="Marks of the heartbeat" aria-valuemin="1" aria-valuemax="{0}"'
        ' aria-valuenow="{0}" aria-valuetext="{1}" data-kept="{2}">{3}'
        '<i class="ae-marks-at" id="ae-marks-at" aria-hidden="true" data-keep></i></div>'
        '<p class="ae-marks-foot"><span>{4}</span>'
        '<b id="ae-marks-said" aria-hidden="true" data-keep></b><span>{5}</span></p>'
        '<p class="ae-beats-says">{6}</p>'
        '<p class="ae-muted">Tallest: connected. Tall: heard in its interval, hollow after a gap. '
        "Half: late. Low: lost. Arrow keys, or a finger, go from mark to mark.</p>",
        len(found),
        _said(found[-1]),
        beats.KEPT,
        drawn(component),
        marks.clock(found[0].at, now=now),
        marks.clock(found[-1].at, now=now),
        _sentence(found),
    )


def table(component: Component, *, now: datetime) -> SafeString:
    """The same marks in figures, the newest first."""
    rows = (
        (
            marks.clock(beat.at, now=now),
            _said(beat),
            marks.none() if beat.seconds is None else f"{beat.seconds:.1f} s",
            word(beat),
        )
        for beat in reversed(beats.read(component.beats))
    )
    return format_html(
        '<table class="ae-table"><thead><tr><th scope="col">Time</th><th scope="col">Mark</th>'
        '<th scope="col" class="ae-number">After</th></tr></thead>'
        "<tbody>{}</tbody></table>",
        format_html_join(
            "",
            '<tr data-word="{3}"><td data-label="Time">{0}</td><td data-label="Mark">{1}</td>'
            '<td data-label="After" class="ae-number">{2}</td></tr>',
            rows,
        ),
    )


def word(beat: Beat) -> str:
    """How a mark is called; one that comes after an interval without any ends a gap."""
    is_gap = (beat.seconds or 0) > 2 * settings.ENVIRONMENT.heartbeat_seconds
    return GAP if is_gap and beat.sign == Sign.HEARD else WORDS[beat.sign]


def _said(beat: Beat) -> str:
    return "heard after a gap" if word(beat) == GAP else word(beat)


def _sentence(found: Sequence[Beat]) -> str:
    counts = Counter(_said(beat) for beat in found)
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    longest = max((beat.seconds or 0 for beat in found), default=0)
    return f"{_marks(len(found))}: {said}; at most {longest:.1f} s between two."


def _marks(count: int) -> str:
    return "Last mark" if count == 1 else f"Last {count} marks"
