"""The same request elsewhere: as a line of curl, and as one of the command line."""

import json
import shlex
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any

# By the name of an address and the method; what stands after $ is filled in from the address.
COMMANDS: dict[str, dict[str, str]] = {
    "sessions": {"GET": "session list", "POST": "session create"},
    "session": {"GET": "session show $session", "DELETE": "session delete $session"},
    "session-start": {"POST": "session start $session"},
    "session-resume": {"POST": "session resume $session"},
    "session-pause": {"POST": "session pause $session"},
    "session-stop": {"POST": "session stop $session"},
    "session-complete": {"POST": "session complete $session"},
    "session-end": {"POST": "session end $session"},
    "session-restart": {"POST": "session restart $session"},
    "session-recover": {"POST": "session recover $session"},
    "session-fork": {"POST": "session fork $session"},
    "session-redrive": {"POST": "session redrive $session"},
    "session-clock": {"GET": "session clock $session"},
    "session-step": {"POST": "session step $session"},
    "session-checkpoints": {
        "GET": "checkpoint list $session",
        "POST": "checkpoint create $session",
    },
    "session-components": {"GET": "component list --session $session"},
    "session-topics": {"GET": "topic list --session $session"},
    "session-events": {"GET": "event tail --session $session"},
    "session-messages": {"GET": "message list $session"},
    "components": {"GET": "component list"},
    "topics": {"GET": "topic list"},
    "approvals": {"GET": "approval list"},
    "approval": {"GET": "approval show $approval"},
    "approval-claim": {"POST": "approval claim $approval"},
    "agents": {"GET": "agent list"},
    "agent": {"GET": "agent show $agent"},
    "agent-check": {"POST": "agent check $agent"},
    "tools": {"GET": "tool list"},
    "tool": {"GET": "tool show $tool"},
    "policies": {"GET": "policy list"},
    "policy": {"GET": "policy show $policy"},
    "templates": {"GET": "template list"},
    "tags": {"GET": "tag list"},
    "bookmarks": {"GET": "bookmark list"},
    "credentials": {"GET": "credential list"},
    "providers": {"GET": "provider list"},
    "triggers": {"GET": "trigger list"},
    "trigger": {"GET": "trigger show $trigger"},
    "webhooks": {"GET": "webhook list"},
    "statistics": {"GET": "statistics"},
    "audit": {"GET": "audit list"},
    "audit-verify": {"GET": "audit verify"},
}


def curl(method: str, address: str, body: Any = None) -> str:
    """One line for a shell; the secret is in AEGIS_TOKEN, and a POST has a key of its own."""
    parts = ["curl", '-H "Authorization: Bearer $AEGIS_TOKEN"']
    if method != "GET":
        parts += ["-X", method]
    if method == "POST":
        parts.append('-H "Idempotency-Key: $(uuidgen)"')
    if body is not None:
        text = json.dumps(body, ensure_ascii=False)
        parts += ["-H 'Content-Type: application/json'", "-d", shlex.quote(text)]
    return " ".join([*parts, shlex.quote(address)])


def command(name: str, method: str, values: Mapping[str, Any]) -> str:
    """The line of the command line that does the same, or nothing where there is none."""
    found = COMMANDS.get(name, {}).get(method, "")
    quoted = {word: shlex.quote(str(value)) for word, value in values.items()}
    return f"./aegis {Template(found).substitute(quoted)}" if found else ""


def ways(
    name: str,
    *,
    methods: Sequence[str],
    address: str,
    values: Mapping[str, Any],
    examples: Mapping[str, Any],
) -> list[dict[str, str]]:
    """What a page offers to copy: reading, and what it has an example or a command for."""
    known = {"GET", *examples, *COMMANDS.get(name, {})}
    return [
        {
            "method": method,
            "curl": curl(method, address, examples.get(method)),
            "command": command(name, method, values),
        }
        for method in methods
        if method in known
    ]
