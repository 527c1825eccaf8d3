"""The cells of a component's row, on the page and when the row is read again."""

from collections.abc import Mapping
from datetime import datetime

from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from aegis_project import marks
from components.admin import flow, ladder, strip
from components.admin.flow import Flow
from components.core.lifecycle import CONNECTED
from components.models import Component


def name(component: Component, *, now: datetime) -> SafeString:
    """Name and the first digits of the id."""
    return format_html(
        '<span class="ae-two" data-row="{}"><span class="ae-name">{}</span>'
        '<span class="ae-key">{}</span></span>',
        component.pk,
        component.name,
        str(component.pk)[:8],
    )


def chip(component: Component, *, now: datetime) -> SafeString:
    """The state with its time; one that missed a beat reads late."""
    state = ladder.state_of(component, now=now)
    word = "late" if component.is_late and state in CONNECTED else state
    return marks.chip(word, marks.COMPONENT, since=ladder.since(component, now=now), now=now)


def role(component: Component, *, now: datetime) -> SafeString:
    """What it does, and whether the session needs it."""
    word = "required" if component.required else "optional"
    return format_html(
        '<span class="ae-two"><span>{}</span><span class="ae-key">{}</span></span>',
        component.role,
        word,
    )


def handshake(component: Component, *, now: datetime) -> SafeString:
    """How far it came."""
    return render_to_string("admin/aegis/ladder.html", {"ladder": ladder.of(component, now=now)})


def heard(component: Component, *, now: datetime) -> SafeString:
    """How long ago it was heard, over the strip of its last marks."""
    at = component.last_heartbeat_at
    return format_html(
        '<span class="ae-number">{}</span>{}',
        marks.since_html(at, now=now) if at else marks.none(),
        strip.drawn(component),
    )


def steps(component: Component, *, now: datetime) -> SafeString:
    """The ladder with its times, and what it waits for."""
    found = ladder.of(component, now=now)
    items = format_html_join(
        "",
        "<li {}>{}<span>{}</span>{}</li>",
        (
            (
                SafeString("data-done") if rung.is_done else "",
                marks.shape("completed" if rung.is_done else "created"),
                rung.title,
                marks.clock(rung.at, now=now) if rung.at else marks.none(),
            )
            for rung in found.rungs
        ),
    )
    return format_html('<ol class="ae-steps">{}</ol><p class="ae-muted">{}</p>', items, found.says)


def topics(component: Component, *, now: datetime) -> SafeString:
    """The topics that it registered for."""
    text = ", ".join(component.topics)
    return (
        format_html('<span class="ae-clip" title="{0}">{0}</span>', text) if text else marks.none()
    )


def since(component: Component, *, now: datetime) -> SafeString:
    """For how long it has been connected, over what it calls its version and how it speaks."""
    at = component.registered_at if ladder.state_of(component, now=now) in CONNECTED else None
    said = filter(None, [component.version, "" if at is None else spoken(component)])
    return format_html(
        '<span class="ae-two"><span>{}</span><span class="ae-key">{}</span></span>',
        marks.since_html(at, now=now) if at else marks.none(),
        ", ".join(said),
    )


def spoken(component: Component) -> str:
    """Which form of the protocol it speaks: that of the seed, single records, or batches."""
    if not component.proto:
        return "plain"
    said = "batches" if component.proto.get("batch") else "single records"
    window = component.proto.get("window")
    return f"{said}, window {window}" if window else said


def transport(component: Component) -> str:
    """How it is connected, as far as it ever was."""
    return f"WebSocket, {spoken(component)}" if component.registered_at else "–"


def program(component: Component) -> SafeString:
    """What launchers run for it."""
    return format_html("{}", component.program.name) if component.program else marks.none()


def launch(component: Component, *, now: datetime) -> SafeString:
    """Where its program stands, and how the last process ended."""
    row = getattr(component, "launch", None)
    if row is None:
        return marks.none()
    since = row.started_at if row.state == "running" else row.ended_at
    ended = row.error or ("" if row.exit_code is None else f"exited {row.exit_code}")
    said = [
        f"process {row.pid}" if row.pid else "",
        f"attempt {row.attempt}" if row.attempt else "",
        f"before: {ended}" if ended else "",
    ]
    return format_html(
        '{} <span class="ae-muted">{}</span>',
        marks.chip(row.state, marks.LAUNCH, since=since, now=now),
        ", ".join(filter(None, said)),
    )


def awaited(component: Component, *, now: datetime) -> SafeString:
    """That its first connection is waited for, and that it came."""
    if component.registered_at is None:
        return format_html(
            '{} <b>Waiting for connection.</b> <span class="ae-muted">{}</span>',
            marks.shape("created"),
            "This turns by itself.",
        )
    return format_html(
        "{} <span>First frame of this connection {}.</span>",
        marks.shape("completed"),
        marks.clock(component.registered_at, now=now),
    )


def parts(component: Component, *, now: datetime) -> dict[str, str]:
    """What moves on the page of a component, by the name of its place."""
    return {
        "awaited": awaited(component, now=now),
        "standing": chip(component, now=now),
        "steps": steps(component, now=now),
        "beats": strip.figure(component, now=now),
        "beats-table": strip.table(component, now=now),
    }


CELLS = {
    "name_cell": name,
    "state_cell": chip,
    "role_cell": role,
    "handshake_cell": handshake,
    "heard_cell": heard,
    "since_cell": since,
    "topics_cell": topics,
}


def row(component: Component, flows: Mapping[str, Flow], *, now: datetime) -> dict[str, str]:
    """All cells of one row by the name of their column."""
    mine = flows.get(str(component.pk), flow.NOTHING)
    return {
        **{column: cell(component, now=now) for column, cell in CELLS.items()},
        **{column: cell(mine) for column, cell in flow.CELLS.items()},
    }
