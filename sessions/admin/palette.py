"""What the palette finds or runs: places, sessions, what is about them, and verbs of the lever."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from aegis_project import marks
from aegis_project.kit.principal import Principal
from components import selectors as components
from components.admin.asking import asking
from sessions.admin import filters, lever
from sessions.admin.fragments import fragment
from sessions.admin.lever import Verb
from sessions.models import Session
from sessions.selectors import agents, sessions

MOST, LONGEST = 6, 200
# The nouns of the command line that may stand before a verb, or before a name to look up.
SESSION = "session"
NOUNS = (SESSION, "component", "agent")
# What opening a line does anyway.
LOOKS = ("show", "list", "watch")


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the palette: it leads somewhere, or it pulls a session's lever."""

    title: str
    icon: str
    detail: str | SafeString = ""
    address: str = ""
    verb: Verb | None = None
    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Lines of one kind under their heading."""

    title: str
    choices: list[Choice] = field(default_factory=list)


@require_GET
@fragment
def show(request: HttpRequest) -> HttpResponse:
    """The lines that answer what was typed, as far as whoever asks may see or do them."""
    words = request.GET.get("q", "").replace("\0", "")[:LONGEST].split()
    found = [one for one in groups(request, words) if one.choices]
    return render(request, "admin/aegis/palette_found.html", {"groups": found})


def groups(request: HttpRequest, words: Sequence[str]) -> Iterator[Group]:
    """Commands first: whoever typed a verb means it."""
    principal = asking(request)
    noun, rest = (words[0], words[1:]) if words and words[0] in NOUNS else ("", words)
    rest = rest[1:] if noun and rest and rest[0] in LOOKS else rest
    yield Group("Run", list(commands(principal, rest)) if noun in {"", SESSION} else [])
    name = " ".join(rest)
    if noun in {"", SESSION} and (rest or noun):
        yield Group("Sessions", list(sessions_named(principal, name)))
    if noun in {"", "component"} and (rest or noun):
        yield Group("Components", list(components_named(principal, name)))
    if noun in {"", "agent"} and (rest or noun):
        yield Group("Agents", list(agents_named(principal, name)))
    if not noun:
        yield Group("Go to", list(places(request, name)))


def commands(principal: Principal, words: Sequence[str]) -> Iterator[Choice]:
    """``pause btc`` as a verb for each session that answers; refused ones say why."""
    if words[:1] == ["new"] and principal.allows("sessions:write"):
        address = reverse("admin:aegis_sessions_session_add")
        yield Choice("session new", "add", "Make a session", address)
    is_verb = bool(words) and words[0] in lever.LABELS
    if not is_verb or not principal.allows("sessions:control"):
        return
    found = [
        (session, verb)
        for session in _sessions(principal, " ".join(words[1:]))
        for verb in lever.verbs(session)
        if verb.name == words[0]
    ]
    for session, verb in sorted(found, key=lambda one: not one[1].is_allowed):
        title = f"session {verb.name} {session.key}"
        name = "" if session.name == session.key else session.name
        detail = name if verb.is_allowed else verb.why
        yield Choice(title, verb.icon, detail, verb=verb, session=session)


def sessions_named(principal: Principal, name: str) -> Iterator[Choice]:
    """Sessions by name, key, participant or the beginning of their id."""
    for session in _sessions(principal, name):
        address = reverse("admin:aegis_sessions_session_change", args=[session.pk])
        state = marks.chip(session.state, marks.SESSION)
        title = session.name or session.key
        yield Choice(title, "stacks", state, address, session=session)


def _sessions(principal: Principal, name: str) -> list[Session]:
    if not principal.allows("sessions:read"):
        return []
    rows = sessions.visible(principal)
    rows = filters.named(rows, name) if name else rows
    found = list(rows.order_by("-created_at", "-id")[:MOST])
    # A key that is typed in full means this one.
    return [one for one in found if one.key == name] or found


def components_named(principal: Principal, name: str) -> Iterator[Choice]:
    """Components by name, each with its session."""
    if not principal.allows("components:read"):
        return
    rows = components.visible(principal).filter(name__icontains=name).select_related("session")
    for one in rows.order_by("name", "pk")[:MOST]:
        address = reverse("admin:aegis_sessions_session_change", args=[one.session_id])
        detail = f"{one.state} in {one.session.key}"
        yield Choice(one.name, "hub", detail, f"{address}?tab=participants")


def agents_named(principal: Principal, name: str) -> Iterator[Choice]:
    """Agents by name or slug."""
    if not principal.allows("agents:read"):
        return
    wanted = Q(slug__icontains=name) | Q(name__icontains=name)
    for one in agents.readable(principal).filter(wanted).order_by("slug")[:MOST]:
        address = reverse("admin:aegis_sessions_agent_change", args=[one.pk])
        yield Choice(one.name or one.slug, "smart_toy", one.slug, address)


def places(request: HttpRequest, name: str) -> Iterator[Choice]:
    """The places of the sidebar that are open to whoever asks."""
    wanted = name.lower().removesuffix(" list")
    site: Any = admin.site
    for group in site.get_sidebar_list(request):
        for item in group["items"]:
            title = str(item["title"])
            if item["has_permission"] and wanted in title.lower():
                detail = keys_of(item.get("key", ""))
                yield Choice(title, item["icon"], detail, str(item["link"]))


def keys_of(key: str) -> str:
    """The keys that lead to a place."""
    return f"g {key}" if key else ""
