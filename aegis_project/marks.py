"""The vocabulary of the admin as HTML: shapes, chips, conditions, times."""

from datetime import datetime
from typing import NamedTuple

from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from aegis_project.kit.moments import stamp


class Mark(NamedTuple):
    """How a word looks: its shape in the sprite and its tone in the style sheet."""

    shape: str
    tone: str


UNKNOWN = Mark("unknown", "unknown")

SESSION = {
    "created": Mark("created", "neutral"),
    "running": Mark("running", "ok"),
    "paused": Mark("paused", "neutral"),
    "stopped": Mark("stopped", "neutral"),
    "failed": Mark("failed", "bad"),
    "completed": Mark("completed", "neutral"),
    "ended": Mark("ended", "neutral"),
}

# In the order in which conditions are shown.
CONDITION = {
    "degraded": Mark("degraded", "warn"),
    "starting": Mark("starting", "warn"),
    "draining": Mark("draining", "neutral"),
    "waiting": Mark("waiting", "people"),
    "replaying": Mark("replaying", "neutral"),
    "stale": Mark("stale", "neutral"),
}

TOPIC = {"silent": Mark("silent", "warn")}

COMPONENT = {
    "pending": Mark("created", "neutral"),
    "registered": Mark("registered", "neutral"),
    "ready": Mark("ready", "neutral"),
    "running": Mark("running", "ok"),
    "late": Mark("late", "warn"),
    "lost": Mark("lost", "bad"),
    "failed": Mark("failed", "bad"),
    "stopped": Mark("stopped", "neutral"),
}

LAUNCH = {
    "stopped": Mark("stopped", "neutral"),
    "waiting": Mark("late", "warn"),
    "starting": Mark("starting", "warn"),
    "running": Mark("running", "ok"),
    "stopping": Mark("draining", "neutral"),
    "failed": Mark("failed", "bad"),
}

RUN = {
    "queued": Mark("registered", "neutral"),
    "working": Mark("starting", "acc"),
    "waiting": Mark("waiting", "people"),
    "completed": Mark("completed", "neutral"),
    "failed": Mark("failed", "bad"),
    "cancelled": Mark("ended", "neutral"),
}

TOOL_CALL = {
    "pending": Mark("waiting", "people"),
    "approved": Mark("completed", "neutral"),
    "rejected": Mark("rejected", "neutral"),
    "expired": Mark("expired", "neutral"),
    "running": Mark("starting", "acc"),
    "completed": Mark("completed", "neutral"),
    "failed": Mark("failed", "bad"),
    "cancelled": Mark("ended", "neutral"),
    "unknown": Mark("unknown", "bad"),
}

APPROVAL = {
    "pending": Mark("waiting", "people"),
    "approved": Mark("registered", "neutral"),
    "rejected": Mark("rejected", "neutral"),
    "expired": Mark("expired", "neutral"),
    "cancelled": Mark("ended", "neutral"),
}

FINDING = {
    "error": Mark("failed", "bad"),
    "unknown": Mark("unknown", "bad"),
    "warning": Mark("degraded", "warn"),
    "notice": Mark("event", "neutral"),
    "ok": Mark("completed", "neutral"),
}

CREDENTIAL = {
    "usable": Mark("registered", "neutral"),
    "expiring": Mark("late", "warn"),
    "expired": Mark("expired", "neutral"),
    "revoked": Mark("rejected", "neutral"),
}


def shape(name: str) -> SafeString:
    """One shape of the sprite, in the colour of the text around it."""
    return format_html(
        '<svg class="ae-shape" aria-hidden="true"><use href="{}#{}"/></svg>',
        static("aegis/shapes.svg"),
        name,
    )


def chip(
    word: str, marks: dict[str, Mark], *, since: datetime | None = None, now: datetime | None = None
) -> SafeString:
    """A state in its box, with the time in that state; a word we do not know is shown raw."""
    mark = marks.get(word, UNKNOWN)
    return format_html(
        '<span class="ae-chip" data-tone="{}" data-word="{}">{}<span>{}</span>{}</span>',
        mark.tone,
        word,
        shape(mark.shape),
        word.capitalize() if mark is not UNKNOWN else word,
        format_html(" {}", since_html(since, now=now)) if since and now else "",
    )


def condition(word: str, text: str = "") -> SafeString:
    """A condition: glyph and words without a box."""
    mark = CONDITION.get(word, UNKNOWN)
    return format_html(
        '<span class="ae-condition" data-tone="{}" data-word="{}">{}<span>{}</span></span>',
        mark.tone,
        word,
        shape(mark.shape),
        text or (word.capitalize() if mark is not UNKNOWN else word),
    )


def tags(names: list[str]) -> SafeString:
    """The tags of a session: words, those of the system with a dot in their colour."""
    return format_html(
        '<span class="ae-tags">{}</span>',
        format_html_join(
            " ", '<span class="ae-tag" data-tag="{0}">{0}</span>', ((n,) for n in names)
        ),
    )


def environment(word: str) -> SafeString:
    """An environment: grey words, production outlined."""
    return format_html('<span class="ae-environment" data-word="{0}">{0}</span>', word)


def since_html(at: datetime, *, now: datetime) -> SafeString:
    """How long ago something was, ticking in the page."""
    seconds = max((now - at).total_seconds(), 0)
    return format_html(
        '<time class="ae-tick" datetime="{}" data-form="since">{}</time>',
        stamp(at),
        duration(seconds),
    )


def until_html(at: datetime, *, now: datetime) -> SafeString:
    """How long it is until something, ticking in the page."""
    seconds = max((at - now).total_seconds(), 0)
    return format_html(
        '<time class="ae-tick" datetime="{}" data-form="until">{}</time>',
        stamp(at),
        duration(seconds),
    )


def clock(at: datetime | None, *, now: datetime) -> SafeString:
    """A moment in the form that the page's switch asks for; UTC until then."""
    if at is None:
        return none()
    text = at.strftime("%H:%M:%S" if at.date() == now.date() else "%Y-%m-%d %H:%M:%S")
    return format_html(
        '<time class="ae-number" datetime="{0}" title="{0}" data-form="clock">{1}</time>',
        stamp(at),
        text,
    )


def rate(value: float) -> str:
    """A rate in the digits that can be read: ``0``, ``0.1``, ``6.4``, ``820``."""
    if value == 0:
        return "0"
    return f"{value:.1f}" if value < 10 else number(value)


def figure(text: str) -> SafeString:
    """A number in words; none is said quietly."""
    return none(text) if text == "0" else format_html("{}", text)


def none(sign: str = "–") -> SafeString:
    """Nothing, said quietly."""
    return format_html('<span class="ae-none">{}</span>', sign)


def row(*parts: SafeString) -> SafeString:
    """A state and its conditions on one line."""
    return format_html(
        '<span class="ae-states">{}</span>', format_html_join("", "{}", ((part,) for part in parts))
    )


def duration(seconds: float) -> str:
    """``46 s``, ``1:46``, ``2 h 08``, ``6 d 4 h``: two figures at most, the larger first."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02}"
    days, hours = divmod(whole // 3600, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def took(seconds: float) -> str:
    """What something took: ``12 ms``, ``1.4 s``, and from ten seconds on as ``duration``."""
    if seconds < 0.9995:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 9.95 else duration(round(seconds))


def number(value: float) -> str:
    """A whole number with thin spaces between thousands and a real minus."""
    return f"{value:,.0f}".replace(",", "\u2009").replace("-", "\u2212")
