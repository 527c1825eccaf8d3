"""What an approval's decision rests on, field by field: when it was asked for, and now."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

from aegis_project import marks
from sessions.admin.approval_cells import shown
from sessions.core.comparing import MINUS, Compared, compare, is_moment
from sessions.core.freshness import Known
from sessions.models import Approval
from sessions.selectors import situation


class Field(NamedTuple):
    """One value, then and now, and what changed."""

    name: str
    then: SafeString | str
    now: SafeString | str
    change: str


class Input(NamedTuple):
    """One topic: its fields, how old they were and are, and why that is too far."""

    topic: str
    fields: list[Field]
    then_at: SafeString
    now_at: SafeString
    why: str

    @property
    def only(self) -> Field | None:
        """Its value, where it has no fields."""
        return self.fields[0] if not self.fields[0].name else None


def context(row: Approval, known: Known | None, *, now: datetime) -> dict[str, Any]:
    """What the card shows of it; ``known`` is None where nobody can say how things are now."""
    found = inputs(row, known, now=now)
    return {
        "inputs": found,
        "has_moved": any(one.why for one in found),
        "is_known": known is not None,
    }


def measured(row: Approval, known: Known | None, *, now: datetime) -> SafeString:
    """What came of measuring once more, and when that was."""
    at = marks.clock(now, now=now)
    if not row.is_open:
        return SafeString("It is decided, so nothing is measured any more.")
    if known is None:
        return format_html("Not measured {}: nobody here knows the topics.", at)
    far = [one for one in inputs(row, known, now=now) if one.why]
    said = ", ".join(
        f"{one.topic} {'has' if one.why == 'moved' else 'is'} {one.why}" for one in far
    )
    told = f"Still so: {said}." if far else "Nothing has moved too far."
    return format_html("Measured again {}. {}", at, told)


def inputs(row: Approval, known: Known | None, *, now: datetime) -> list[Input]:
    """Each topic that the policy names, then and now."""
    far = {one.topic: one.why for one in situation.moved(row, known) or []}
    found = []
    for topic in situation.topics_of(row):
        then, current = row.evidence.get(topic), (known or {}).get(topic)
        compared = compare(
            then and then["value"],
            current and current["value"],
            has_then=then is not None,
            has_now=current is not None,
        )
        found.append(
            Input(
                topic,
                [_field(one, now) for one in compared],
                _age(then, row.requested_at),
                _age_now(current, now),
                far.get(topic, ""),
            )
        )
    return found


def _field(one: Compared, at: datetime) -> Field:
    return Field(
        one.name,
        _value(one.name, one.then, at) if one.has_then else "nothing",
        _value(one.name, one.now, at) if one.has_now else "nothing",
        _change(one) if one.has_then or one.has_now else "",
    )


def _value(name: str, value: Any, at: datetime) -> SafeString | str:
    """What was measured; a moment in the form that the page's switch asks for."""
    if not is_moment(name, value):
        return shown(value)
    return marks.clock(datetime.fromtimestamp(value / 1000, UTC), now=at)


def _change(one: Compared) -> str:
    if not (is_moment(one.name, one.then) and is_moment(one.name, one.now)):
        return one.change
    seconds = abs(one.now - one.then) / 1000
    sign = "+" if one.now > one.then else MINUS
    return f"{sign}{marks.duration(seconds)}" if seconds >= 1 else "same"


def _age(known: Any, at: datetime) -> SafeString:
    """How old it was when it was asked."""
    if not known:
        return marks.none()
    seconds = (at - datetime.fromtimestamp(known["ts"] / 1000, UTC)).total_seconds()
    return format_html("{} old", marks.duration(max(seconds, 0)))


def _age_now(known: Any, now: datetime) -> SafeString:
    if not known:
        return marks.none()
    at = datetime.fromtimestamp(known["ts"] / 1000, UTC)
    return format_html("{} old", marks.since_html(at, now=now))
