"""The session daemon of seed 003: who a session is, and whether it is active."""

from django.utils import timezone
from msgspec import Struct

from aegis_project.kit.errors import ValidationFailed
from aegis_project.kit.principal import Principal
from sessions import commands
from sessions.core.lifecycle import CLOSED, Kind, State
from sessions.dialects.bus import reading, shapes
from sessions.dialects.bus.registry import Daemon, Data, Reply, register
from sessions.selectors import lists, sessions
from sessions.services import at_rest, lifecycle, opening
from sessions.services.creation import Draft

# How many sessions of a list are looked at together; databases bound the length of a question.
SLICE = 500


class Create(Struct, kw_only=True, rename="camel"):
    """A session to make; one that is shared is made once."""

    type: str = ""
    owner: str = ""
    is_shared: bool = False


class Filter(Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which sessions to list."""

    type: str = ""
    owner: str = ""
    is_active: bool | None = None


class Some(Struct, kw_only=True):
    """A list of sessions."""

    filter: Filter | None = None


def create(principal: Principal, data: Data) -> Reply:
    """Make a session that is active at once, or join the one that is shared."""
    asked = reading.asked(data, Create)
    if not asked.type or not asked.owner:
        raise ValidationFailed("type and owner are required")
    draft = Draft(
        kind=Kind.CUSTOM,
        environment=reading.environment(asked.type),
        owner_label=asked.owner,
        metadata={opening.IS_SHARED: True} if asked.is_shared else {},
    )
    row = opening.open_(principal=principal, draft=draft).session
    return shapes.done({"sessionId": str(row.pk), **shapes.truth(row)})


def get(principal: Principal, data: Data) -> Reply:
    """Tell what is known of a session."""
    return shapes.done(shapes.session_alone(reading.readable(principal, data, message="get")))


def several(principal: Principal, data: Data) -> Reply:
    """Tell of every open session, the one that was active last first."""
    wanted = reading.asked(data, Some).filter or Filter()
    rows = lists.readable(principal).exclude(state__in=[state.value for state in CLOSED])
    if wanted.type:
        rows = rows.filter(environment=reading.environment(wanted.type).value)
    if wanted.owner:
        rows = rows.filter(owner_label=wanted.owner)
    if wanted.is_active is not None:
        running = State.RUNNING.value
        rows = rows.filter(state=running) if wanted.is_active else rows.exclude(state=running)
    found, now = list(rows.order_by("-last_activity_at", "-pk")), timezone.now()
    slices = (found[place : place + SLICE] for place in range(0, len(found), SLICE))
    return shapes.done(
        [shapes.session(view) for some in slices for view in sessions.views(some, now=now)]
    )


def activate(principal: Principal, data: Data) -> Reply:
    """Start a session; answered when that is settled."""
    row = reading.named(principal, data, message="activate")
    done = lifecycle.start(principal=principal, session=row)
    if done.is_pending:
        done = commands.settled(done, timeout_seconds=commands.seconds_left(done.session))
    return shapes.moved(done.session)


def deactivate(principal: Principal, data: Data) -> Reply:
    """Hold a session; one that is not active stays as it is."""
    row = reading.named(principal, data, message="deactivate")
    hold = lifecycle.pause if "pause" in row.legal() else at_rest.keep
    return shapes.moved(hold(principal=principal, session=row).session)


def end(principal: Principal, data: Data) -> Reply:
    """End a session: it is not found here any more."""
    row = reading.named(principal, data, message="end")
    return shapes.moved(lifecycle.end(principal=principal, session=row).session)


register(
    Daemon(
        "session",
        messages={
            "create": create,
            "get": get,
            "list": several,
            "activate": activate,
            "deactivate": deactivate,
            "end": end,
        },
        waits=frozenset({"activate"}),
        changes=frozenset({"create", "activate", "deactivate", "end"}),
    )
)
