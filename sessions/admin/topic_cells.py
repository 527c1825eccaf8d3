"""The cells of a topic's row in the monitor, on the page and when it is read again."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from aegis_project import marks
from sessions.admin import sparks, topic_words
from sessions.admin.topic_words import Seen

Cell = Callable[[Seen, datetime], SafeString]


class Column(NamedTuple):
    """A column of the monitor: its name, its title, its cells, and whether they are numbers."""

    name: str
    title: str
    cell: Cell
    is_number: bool = False


def _topic(seen: Seen, now: datetime) -> SafeString:
    odd = topic_words.silence(seen, now) or topic_words.backlog(seen)
    said = format_html('<span class="ae-said">{}</span>', odd) if odd else ""
    return format_html(
        '<a class="ae-link ae-name ae-clip" href="{}" title="{}">{}</a>{}',
        address(seen),
        odd or seen.log.name,
        seen.log.name,
        said,
    )


def address(seen: Seen) -> str:
    """Where the topic's own page is."""
    return reverse("admin:aegis_streaming_log_topic", args=[seen.log.session_id, seen.log.name])


def _session(seen: Seen, now: datetime) -> SafeString:
    session = seen.session
    link = format_html(
        '<a class="ae-link ae-clip" href="{}?tab=topics" title="{}">{}</a>',
        reverse("admin:aegis_sessions_session_change", args=[session.pk]),
        session.name or session.key,
        session.key,
    )
    if session.environment != "production":
        return link
    return format_html("{} {}", link, marks.environment(session.environment))


def _publisher(seen: Seen, now: datetime) -> SafeString:
    names = seen.publishers
    if not names:
        return marks.none()
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return format_html(
        '<span class="ae-clip" title="{}">{}{}</span>', ", ".join(names), names[0], more
    )


def _subscribers(seen: Seen, now: datetime) -> SafeString:
    count = seen.reading.figures.subscribers if seen.reading else 0
    return format_html("{}", count) if count else marks.none("0")


def _rate(seen: Seen, now: datetime) -> SafeString:
    value = seen.reading.rate if seen.reading else None
    if value is None:
        return marks.none()
    return format_html(
        '<b class="ae-rate" title="{}">{}</b>',
        topic_words.production(seen),
        marks.rate(value),
    )


def _spark(seen: Seen, now: datetime) -> SafeString:
    return sparks.spark(seen.reading.rates if seen.reading else [], is_silent=seen.is_silent)


def _bytes(seen: Seen, now: datetime) -> SafeString:
    value = seen.reading.size if seen.reading else None
    if not value:
        return marks.none("–" if value is None else "0")
    return format_html("{}", topic_words.size(value))


def last(seen: Seen, now: datetime) -> SafeString:
    """How long ago the last record was; of a silent topic with its mark."""
    at = seen.last_at
    if at is None:
        return marks.none()
    age = marks.since_html(at, now=now)
    if not seen.is_silent:
        return age
    return format_html(
        '<span class="ae-tone ae-nowrap" data-tone="warn" title="{}">{} {}</span>',
        topic_words.silence(seen, now),
        marks.shape("silent"),
        age,
    )


def _lag(seen: Seen, now: datetime) -> SafeString:
    if seen.reading is None or not seen.reading.figures.subscribers:
        return marks.none()
    lag = seen.reading.figures.lag
    return _toned(seen, f"{marks.number(lag)} rec") if lag else marks.none("0")


def _lag_age(seen: Seen, now: datetime) -> SafeString:
    reading = seen.reading
    if reading is None or not reading.figures.subscribers:
        return marks.none()
    if not reading.figures.lag:
        return marks.none("0")
    return _toned(seen, age(reading.lag_seconds, span=reading.step * len(reading.rates)))


def age(seconds: float | None, *, span: float) -> str:
    """The age of a lag; one that is older than the looks that are kept is longer than these."""
    return topic_words.seconds_of(seconds) if seconds is not None else f"> {marks.duration(span)}"


def _toned(seen: Seen, text: str) -> SafeString:
    odd = topic_words.backlog(seen)
    return format_html(
        '<span class="ae-tone" data-tone="{}" title="{}">{}</span>',
        "warn" if odd else "",
        odd,
        text,
    )


def _drops(seen: Seen, now: datetime) -> SafeString:
    dropped = seen.reading.figures.dropped if seen.reading else 0
    if not dropped or seen.reading is None:
        return marks.none("0")
    tone = "bad" if seen.reading.is_dropping else ""
    return format_html(
        '<span class="ae-tone" data-tone="{}">{}</span>', tone, marks.number(dropped)
    )


def _policy(seen: Seen, now: datetime) -> SafeString:
    has_any = seen.reading is not None and seen.reading.policies
    return format_html('<span class="{}">{}</span>', "" if has_any else "ae-muted", seen.policy)


def _recorded(seen: Seen, now: datetime) -> SafeString:
    return _yes(is_so=seen.is_recorded)


def _schema(seen: Seen, now: datetime) -> SafeString:
    return _yes(is_so=seen.rule.schema is not None)


def _yes(*, is_so: bool) -> SafeString:
    return SafeString("yes") if is_so else SafeString('<span class="ae-muted">no</span>')


COLUMNS = (
    Column("topic", "Topic", _topic),
    Column("session", "Session", _session),
    Column("publisher", "Publisher", _publisher),
    Column("subscribers", "Subs", _subscribers, is_number=True),
    Column("rate", "Rec/s", _rate, is_number=True),
    Column("spark", "2 minutes", _spark),
    Column("bytes", "Bytes/s", _bytes, is_number=True),
    Column("last", "Last record", last, is_number=True),
    Column("lag", "Max lag", _lag, is_number=True),
    Column("age", "Lag age", _lag_age, is_number=True),
    Column("drops", "Drops", _drops, is_number=True),
    Column("policy", "Overflow", _policy),
    Column("recorded", "Tape", _recorded),
    Column("schema", "Schema", _schema),
)


def row(seen: Seen, *, now: datetime) -> dict[str, str]:
    """All cells of one row by the name of their column."""
    return {column.name: column.cell(seen, now) for column in COLUMNS}
