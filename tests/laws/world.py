"""One session behind all doors, and its model: what every command does to both."""

import re
from collections import Counter
from typing import Any
from uuid import uuid4

from components.models import Component
from components.services import standing
from sessions.core.lifecycle import Kind, State
from sessions.models import Session
from sessions.services import lifecycle
from tests import factories, tables
from tests.calling import Caller
from tests.integration.admin.help import text
from tests.laws import doors, ours, sockets, words
from tests.laws.doors import ABSENT, DONE, LATE, REFUSED, SESSIONS, Seen
from tests.laws.words import CLOSED, Verb
from tests.lifecycle_model import Model, Part

FEED = "feed"
LEVER = ("session.", "error.")
DOORS = [
    doors.Daemon,
    doors.AgentSessions,
    doors.Tasks,
    doors.Bus,
    sockets.DaemonSocket,
    sockets.BusSocket,
    ours.Conversations,
    ours.Canonical,
    ours.CommandLine,
    ours.Admin,
]
SPEAKS = {door.dialect: door.speaks or door.dialect for door in DOORS}
WITHDRAW = ["stop", "pause", "fail", "complete", "end"]
# Where it is dear to look each time; what the canonical interface shows, 004 reads as well.
DEAR = {"cli", "admin", "canonical", "000 socket", "003 socket"}
LISTS = [name for name in SPEAKS if name not in {"admin", "004"}]
DELETERS = ["000", "001", "000 socket"]

AGREE = "every reading agrees"
READ_BACK = "a word that is written is read back"
DIAGRAM = "what a dialect's own diagram has is accepted"
LEGAL = "a legal move is made"
ILLEGAL = "an illegal move is refused in the dialect's form"
NOTHING = "what changes nothing leaves no trace"
LEAK = "no word of a dialect is seen elsewhere"
GONE = "what one dialect deletes is there in none"


def create(program: Caller, dialect: str) -> str:
    """A session that a client of this dialect made; its id."""
    match dialect:
        case "000":
            made = program.command("SESSION_CREATE", {"name": "law"})["data"]["session"]["id"]
        case "001":
            body = {"sessionType": "custom", "sessionId": str(uuid4())}
            made = program.post(doors.AgentSessions.ADDRESS, body).json()["id"]
        case "002":
            made = program.post("/sessions", {"agentId": "assistant"}).json()["sessionId"]
        case "003":
            asked = {"type": "create", "data": {"type": "test", "owner": "ai-law"}}
            made = program.post("/bus/session", asked).json()["data"]["sessionId"]
        case "004":
            made = program.post(SESSIONS, {"agent": "assistant"}).json()["id"]
        case _:
            made = program.post(SESSIONS, {"components": doors.FEED}).json()["id"]
    return str(made)


class World:
    """A session and its model; ``kept`` counts how many commands each law has survived."""

    def __init__(self, program: Caller, dialect: str, kept: Counter[str]) -> None:
        self.kept, self.model = kept, Model()
        self.row = Session.objects.get(pk=create(program, dialect))
        self.has_agent = bool(self.row.agent)
        self.is_nameless = self.row.kind == Kind.CHAT and not self.row.name
        self.doors = {door.dialect: door(program, str(self.row.pk)) for door in DOORS}
        if dialect == "canonical":
            self.model.parts[FEED] = Part(is_required=True)
        if dialect == "003":
            self.model.command("start")
        self.readings_agree()

    # What is done

    def pull(self, dialect: str, verb: Verb) -> None:
        """Ask a door for something, and hold what it answers against the laws."""
        if verb.means == "task" and not self.has_agent:
            return
        door, model = self.doors[dialect], self.model
        before, was_starting, trace = model.state, model.is_starting, self.trace()
        spoken = SPEAKS[dialect]
        shown, activation = words.WORDS.get((spoken, before), ""), model.activation
        wanted = self.expected(dialect, verb)
        named = self.named(verb, wanted)

        found = door.pull(verb)

        assert found == wanted, (dialect, verb.name, before, was_starting)
        self.kept[ILLEGAL if wanted in {REFUSED, ABSENT} else LEGAL] += 1
        is_same = (model.state, model.is_starting) == (before, was_starting)
        is_anew = found == LATE or verb.means == "restart"
        if is_same and model.activation == activation and not is_anew:
            assert self.trace() == trace + named
            self.kept[NOTHING] += 1
        if shown in verb.shown and not (verb.means in {"start", "attach"} and before in CLOSED):
            assert found in {DONE, LATE}
            self.kept[DIAGRAM] += 1
        is_withdrawn = was_starting and verb.means not in tables.allowed(before)
        if verb.writes and found == DONE and not is_withdrawn:
            assert words.WORDS[spoken, model.state] == verb.writes
            self.kept[READ_BACK] += 1
        self.readings_agree()

    def expected(self, dialect: str, verb: Verb) -> str:
        """How it has to end; the model does the same."""
        model = self.model
        if SPEAKS[dialect] in {"002", "003"} and model.state in CLOSED:
            return ABSENT
        if verb.means == "attach":
            return self.attached()
        if verb.means == "task":
            return self.given()
        if verb.means and model.command(verb.means):
            if verb.waits and model.is_starting:
                model.settle(is_late=True)
                return LATE
            return DONE
        return DONE if model.state in verb.rests else REFUSED

    def attached(self) -> str:
        if self.model.state not in words.ATTACHABLE:
            return REFUSED
        self.model.parts.setdefault(FEED, Part(is_required=True)).is_required = True
        return DONE

    def given(self) -> str:
        if self.model.state not in words.TAKES_TASKS:
            return REFUSED
        if self.model.state is State.CREATED:
            self.model.start()
        return DONE

    def named(self, verb: Verb, wanted: str) -> list[str]:
        """What is told beside the lever: a chat without a name is called by its first task."""
        if verb.means != "task" or wanted != DONE or not self.is_nameless:
            return []
        self.is_nameless = False
        return ["session.updated"]

    def come(self) -> None:
        """The component registers and says that it is ready."""
        if self.model.state in CLOSED:
            return
        row = Component.objects.filter(session=self.row, name=FEED).first()
        factories.readied(self.row, FEED, component_id=str(row.pk) if row else None)
        lifecycle.settle(session_id=self.row.pk)
        self.model.parts.setdefault(FEED, Part(is_required=False)).state = "ready"
        self.model.settle()
        self.readings_agree()

    def lose(self) -> None:
        """The component falls silent."""
        row = Component.objects.filter(session=self.row, name=FEED).first()
        if row and standing.lose(component_id=str(row.pk), fence=row.fence, reason="silent"):
            self.model.parts[FEED].state = "lost"
            self.readings_agree()

    # What always holds

    def readings_agree(self) -> None:
        """Every dialect shows its word for the same state, with the same conditions."""
        wanted = {dialect: self.shown(dialect) for dialect in self.doors if dialect not in DEAR}

        assert {dialect: self.doors[dialect].look() for dialect in wanted} == wanted
        self.kept[AGREE] += 1

    def lists_agree(self) -> None:
        """So do their lists, and the command line."""
        wanted = {name: self.shown(name) for name in self.doors if name != "admin"}

        assert {name: self.doors[name].listed() for name in wanted} == wanted
        for name in DEAR - {"admin"}:
            assert self.doors[name].look() == self.shown(name)
        self.kept[AGREE] += 1

    def look_around(self) -> None:
        """Look where it is dear to look: at lists, the command line, the admin."""
        self.lists_agree()
        self.words_stay_at_home()

    def words_stay_at_home(self) -> None:
        """The canonical interface and the admin speak in our own words, and say what is legal."""
        admin, canonical = self.doors["admin"], self.doors["canonical"]
        assert isinstance(admin, ours.Admin)
        assert isinstance(canonical, ours.Canonical)
        document = canonical.document()
        told = canonical.program.get(f"{SESSIONS}/{self.row.pk}/events").content.decode()
        page = text(admin.page())

        del document["status"]
        assert re.findall(words.FOREIGN, f"{document} {told} {page}") == []
        assert set(document["allowed"]) == self.allowed()
        assert self.model.state.value in page
        self.kept[LEAK] += 1

    def shown(self, dialect: str) -> Seen | None:
        """How a door has to show the session."""
        state = self.model.state
        word = words.WORDS.get((SPEAKS[dialect], state), state.value)
        if SPEAKS[dialect] in {"002", "003"} and state in CLOSED:
            return None
        return Seen(word, state.value, self.conditions())

    def conditions(self) -> list[str]:
        model = self.model
        is_gone = any(one.state in {"lost", "failed"} for one in model.parts.values())
        is_degraded = is_gone and (model.state is State.RUNNING or model.is_starting)
        return ["degraded"] * is_degraded + ["starting"] * model.is_starting

    def allowed(self) -> set[str]:
        """The commands that the table does not refuse, and those that withdraw a start."""
        found = set(tables.allowed(self.model.state))
        return found | set(WITHDRAW) if self.model.is_starting else found

    def trace(self) -> list[Any]:
        """What the ledger tells of the lever."""
        return [type_ for type_ in factories.events(self.row) if type_.startswith(LEVER)]

    # Its end

    def delete(self, dialect: str) -> None:
        """Delete it, after which it is nowhere; an open one is told to have ended."""
        door, told = self.doors[dialect], self.trace()
        assert isinstance(door, doors.Daemon | doors.AgentSessions)
        ended = [] if self.model.state in CLOSED else ["session.ended"]

        assert (door.delete(), door.delete()) == (True, False)

        assert [name for name, one in self.doors.items() if name != "admin" and one.look()] == []
        found = {name: one.listed() for name, one in self.doors.items() if name in LISTS}
        assert found == dict.fromkeys(LISTS)
        withdrawn = ["session.start_withdrawn"] * self.model.is_starting
        assert self.trace() == told + withdrawn + ended
        self.kept[GONE] += 1

    def close(self) -> None:
        """Leave no connection open."""
        for door in self.doors.values():
            door.close()
