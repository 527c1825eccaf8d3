"""The ways into one session that the dialects have, and how all ways answer."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.calling import Caller
from tests.laws import words
from tests.laws.words import Verb

DONE, REFUSED, LATE, ABSENT = "done", "refused", "late", "absent"
SESSIONS = "/api/v1/sessions"
FEED = [{"name": "feed", "role": "feed"}]
INVALID, TIMEOUT = "INVALID_STATE", "START_TIMEOUT"


class Seen(NamedTuple):
    """A session as one door shows it; None is not there."""

    word: str
    aegis_state: str
    conditions: list[str]


class Door:
    """One way in, for one session. ``answer`` checks that what is said has the door's own form."""

    dialect = ""
    speaks = ""
    """The dialect whose words it has, where that is called otherwise."""
    verbs: Sequence[Verb] = ()

    def __init__(self, program: Caller, session: str) -> None:
        self.program, self.session = program, session

    def pull(self, verb: Verb) -> str:
        """Ask for something; how it ended."""
        raise NotImplementedError

    def look(self) -> Seen | None:
        """The session by itself."""
        raise NotImplementedError

    def listed(self) -> Seen | None:
        """The session in the door's list."""
        raise NotImplementedError

    def close(self) -> None:
        """Leave nothing open."""


class Daemon(Door):
    dialect = "000"
    verbs = words.DAEMON
    SAYS = {
        "SESSION_ATTACH": "Attach failed: ",
        "SESSION_STOP": "Could not stop session: ",
        "SESSION_START": "Could not start session: ",
        "SESSION_RESUME": "Could not resume session: ",
        "SESSION_RESTART": "Could not restart session: ",
    }

    def pull(self, verb: Verb) -> str:
        more = {"components": FEED} if verb.means == "attach" else {}
        said = self.command(verb.name, {"session_id": self.session, **more})
        assert (said["request_id"], said["command"]) == ("r-1", verb.name)
        assert said["data"]["session_id"] == self.session
        if said["status"] == "ok":
            assert "message" not in said
            return DONE
        assert (said["status"], "error" in said) == ("error", False)
        assert said["message"].startswith(self.SAYS[verb.name])
        return LATE if "Not ready in time" in said["message"] else REFUSED

    def look(self) -> Seen | None:
        said = self.command("SESSION_STATE", {"session_id": self.session})
        if said["status"] == "ok":
            return seen(said["data"]["session"], "state", "aegis_state")
        assert (said["message"], "data" in said) == ("Session not found", False)
        return None

    def listed(self) -> Seen | None:
        said = self.command("SESSION_LIST", {"include_closed": True})
        return of(said["data"]["sessions"], "id", self.session, "state", "aegis_state")

    def delete(self) -> bool:
        """Whether it was there to delete."""
        said = self.command("SESSION_DELETE", {"session_id": self.session})
        if said["status"] == "ok":
            return True
        assert said["message"] == "Deletion failed: Session not found"
        return False

    def command(self, word: str, payload: dict[str, Any]) -> Any:
        """What the envelope of a command is answered with."""
        return self.program.command(word, payload)


class AgentSessions(Door):
    dialect = "001"
    verbs = words.AGENT_SESSIONS
    ADDRESS = "/api/v1/agent-sessions"

    def pull(self, verb: Verb) -> str:
        answer = self.program.patch(f"{self.ADDRESS}/{self.session}", {"state": verb.name.title()})
        said = answer.json()
        if answer.status_code == 200:
            assert "context" not in said
            return DONE
        if answer.status_code == 504:
            assert (set(said), said["details"]["code"]) == ({"error", "details"}, TIMEOUT)
            return LATE
        details = said["details"]
        known = {word for (dialect, _), word in words.WORDS.items() if dialect == "001"}
        assert (answer.status_code, set(said)) == (400, {"error", "details"})
        assert said["error"] == f"Cannot go from {details['from']} to {verb.name}"
        assert set(details) == {"from", "command", "allowed"}
        assert {details["from"], *details["allowed"]} <= known
        return REFUSED

    def look(self) -> Seen | None:
        answer = self.program.get(f"{self.ADDRESS}/{self.session}")
        return None if is_absent(answer) else seen(answer.json(), "state")

    def delete(self) -> bool:
        """Whether it was there to delete."""
        answer = self.program.delete(f"{self.ADDRESS}/{self.session}")
        if is_absent(answer):
            return False
        assert (answer.status_code, answer.content) == (204, b"")
        return True

    def listed(self) -> Seen | None:
        said = self.program.get(self.ADDRESS).json()
        return of(said["sessions"], "id", self.session, "state")


class Tasks(Door):
    dialect = "002"
    verbs = words.TASKS
    TASK = {"input": {"type": "text/plain", "content": "Go on."}, "returnImmediately": True}

    def pull(self, verb: Verb) -> str:
        if verb.name == "task":
            answer = self.program.post(f"/sessions/{self.session}/tasks", self.TASK)
        else:
            answer = self.program.delete(f"/sessions/{self.session}")
        if answer.status_code in {202, 204}:
            return DONE
        said = answer.json()
        assert set(said) == {"error"}
        assert set(said["error"]) == {"code", "message", "details"}
        assert (answer.status_code, said["error"]["code"]) in {
            (404, "SESSION_NOT_FOUND"),
            (400, INVALID),
        }
        return ABSENT if answer.status_code == 404 else REFUSED

    def look(self) -> Seen | None:
        answer = self.program.get(f"/sessions/{self.session}")
        if answer.status_code == 404:
            return None
        said = answer.json()
        return Seen("listed", said["aegisState"], said["conditions"])

    def listed(self) -> Seen | None:
        said = self.program.get("/sessions").json()["sessions"]
        found = [one for one in said if one["sessionId"] == self.session]
        return Seen("listed", found[0]["aegisState"], found[0]["conditions"]) if found else None


class Bus(Door):
    dialect = "003"
    verbs = words.BUS

    def pull(self, verb: Verb) -> str:
        said = self.send(verb.name, {"sessionId": self.session})
        if said["success"]:
            return DONE
        assert set(said) == {"success", "error"}
        if said["error"] == "Session not found":
            return ABSENT
        return LATE if said["error"].startswith("Not ready in time") else REFUSED

    def look(self) -> Seen | None:
        said = self.send("get", {"sessionId": self.session})
        return self._one(said["data"]) if said["success"] else None

    def listed(self) -> Seen | None:
        said = self.send("list", {})["data"]
        return next((self._one(one) for one in said if one["id"] == self.session), None)

    def send(self, type_: str, data: dict[str, Any]) -> Any:
        """What the daemon answers to a message."""
        answer = self.program.post("/bus/session", {"type": type_, "data": data})
        assert answer.status_code == 200
        return answer.json()

    @staticmethod
    def _one(said: dict[str, Any]) -> Seen:
        word = "active" if said["isActive"] else "inactive"
        return Seen(word, said["aegisState"], said["conditions"])


def judged(status: int, said: dict[str, Any]) -> str:
    """How it ended, by the status and the body of our own interfaces."""
    if status in {200, 202}:
        return DONE
    error = said["error"]
    assert set(said) == {"error"}
    assert set(error) == {"code", "message", "details", "request_id"}
    if status == 504:
        assert error["code"] == TIMEOUT
        return LATE
    assert (status, error["code"]) == (400, INVALID)
    assert set(error["details"]) == {"from", "command", "allowed"}
    return REFUSED


def seen(said: dict[str, Any], word: str, aegis_state: str = "aegisState") -> Seen:
    """A session whose word stands in this member."""
    return Seen(said[word], said[aegis_state], said["conditions"])


def of(
    rows: list[Any], name: str, session: str, word: str, state: str = "aegisState"
) -> Seen | None:
    """The session of this name in a list."""
    found = [one for one in rows if one[name] == session]
    return seen(found[0], word, state) if found else None


def is_absent(answer: Any) -> bool:
    """Whether it is answered as what is not there."""
    if answer.status_code != 404:
        return False
    assert "error" in answer.json()
    return True
