"""The ways into one session that are ours: the canonical interface, 004, command line and admin."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from tests.calling import Caller
from tests.laws import words
from tests.laws.doors import (
    DONE,
    FEED,
    INVALID,
    REFUSED,
    SESSIONS,
    Door,
    Seen,
    is_absent,
    judged,
    of,
    seen,
)
from tests.laws.words import Verb

BODIES: dict[str, Any] = {
    "fail": {"error": {"code": "BROKEN", "message": "It broke."}},
    "attach": {"components": FEED},
}


class Canonical(Door):
    dialect = "canonical"
    verbs = words.CANONICAL

    def pull(self, verb: Verb) -> str:
        answer = self.program.post(f"{SESSIONS}/{self.session}/{verb.name}", BODIES.get(verb.name))
        return judged(answer.status_code, answer.json())

    def look(self) -> Seen | None:
        return self.read("state")

    def listed(self) -> Seen | None:
        said = self.program.get(SESSIONS).json()["data"]
        return of(said, "id", self.session, "state", "state")

    def document(self) -> Any:
        """The whole session."""
        return self.program.get(f"{SESSIONS}/{self.session}").json()

    def read(self, word: str) -> Seen | None:
        """The session with its state in this member."""
        answer = self.program.get(f"{SESSIONS}/{self.session}")
        return None if is_absent(answer) else seen(answer.json(), word, "state")


class Conversations(Canonical):
    dialect = "004"
    verbs = words.CONVERSATIONS

    def look(self) -> Seen | None:
        return self.read("status")

    def listed(self) -> Seen | None:
        word = self.document()["status"]
        said = self.program.get(f"{SESSIONS}?status={word}").json()["data"]
        return of(said, "id", self.session, "status", "state")


class CommandLine(Door):
    dialect = "cli"
    verbs = words.COMMAND_LINE
    MORE = {"fail": ["--error", "It broke."], "end": ["--yes"]}

    def pull(self, verb: Verb) -> str:
        code, said = self.run(verb.name, self.session, *self.MORE.get(verb.name, []))
        if code == 0:
            return DONE
        assert (code, said["schema"], said["error"]["code"]) == (5, "aegis.error/1", INVALID)
        return REFUSED

    def look(self) -> Seen | None:
        code, said = self.run("state", self.session)
        if code == 0:
            return seen(said["data"], "state", "state")
        assert (code, said["error"]["code"]) == (3, "SESSION_NOT_FOUND")
        return None

    def listed(self) -> Seen | None:
        said = self.run("list", "--closed")[1]["data"]
        return of(said, "id", self.session, "state", "state")

    @staticmethod
    def run(*line: str) -> tuple[int, Any]:
        """How a line ended, and the document that it printed."""
        out, code = io.StringIO(), 0
        with redirect_stdout(out), redirect_stderr(io.StringIO()):
            try:
                call_command("aegis", "session", *line, "--json")
            except CommandError as error:
                code = error.returncode
        return code, json.loads(out.getvalue())


class Admin(Door):
    dialect = "admin"
    verbs = words.ADMIN
    PAGES = "/admin/aegis_sessions/session/"

    def __init__(self, program: Caller, session: str) -> None:
        super().__init__(program, session)
        self.client = Client()
        self.client.force_login(
            User.objects.get_or_create(username="root", is_superuser=True, is_staff=True)[0]
        )

    def pull(self, verb: Verb) -> str:
        answer = self.client.post(
            f"{self.PAGES}{self.session}/lever/",
            {"verb": verb.name, "reason": "a law"},
            headers={"Accept": "application/json"},
        )
        return judged(answer.status_code, answer.json())

    def page(self) -> str:
        """The session's own page."""
        return self.client.get(f"{self.PAGES}{self.session}/change/").content.decode()
