"""Calling the HTTP interface as a program does, with a bearer secret and JSON."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django.test import Client

from aegis_project.kit import principal
from components.core.scopes import SCOPES
from components.models import Credential
from components.services import credentials
from tests import factories

SYSTEM = principal.system("tests")


class Caller:
    """A program with a credential; without a secret it is nobody."""

    def __init__(self, secret: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    def get(self, address: str, **headers: str) -> Any:
        return self.client.get(address, headers={**self.headers, **named(headers)})

    def post(self, address: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", address, body, **headers)

    def patch(self, address: str, body: Any = None, **headers: str) -> Any:
        return self.send("PATCH", address, body, **headers)

    def delete(self, address: str) -> Any:
        return self.send("DELETE", address)

    def send(self, method: str, address: str, body: Any = None, **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        return self.client.generic(
            method,
            address,
            raw,
            content_type=headers.pop("content_type", "application/json"),
            headers={**self.headers, **named(headers)},
        )

    def command(self, word: str, payload: Any = None, **headers: str) -> Any:
        """What the envelope of a command is answered with."""
        body = {"request_id": "r-1", "command": word, "payload": payload or {}}
        return self.post("/aegis/commands", body, **headers).json()


def caller(scopes: Sequence[str] = tuple(SCOPES), *, team: str = "default") -> Caller:
    """A program of a team with these scopes."""
    row = factories.team(team)
    # The first of a team has the team's name.
    name = f"{team} {uuid4()}" if Credential.objects.filter(name=team, team=row).exists() else team
    issued = credentials.issue(principal=SYSTEM, name=name, scopes=list(scopes), team_id=row.pk)
    return Caller(issued.secret)


def named(headers: dict[str, str]) -> dict[str, str]:
    """Headers under their names: `if_match` is `If-Match`."""
    return {name.replace("_", "-").title(): value for name, value in headers.items()}


def code(response: Any) -> tuple[int, str]:
    """The status of a refusal and the code in its body."""
    return response.status_code, response.json()["error"]["code"]
