"""The cache that completion answers from: every command, and what there is of each kind."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from components.models import Component, Credential
from sessions.core import approvals
from sessions.models import (
    Agent,
    Approval,
    Policy,
    Preset,
    Provider,
    Run,
    Session,
    Tag,
    ToolServer,
    Webhook,
)
from streaming.models import Log

FILE = "completion.json"
MOST, MOST_SESSIONS = 1000, 10_000
# Every command of Django has them, and nobody looks for them.
COMMON = frozenset({"version", "settings", "pythonpath", "traceback", "skip_checks"})
VALUES: dict[str, Callable[[], Iterable[Any]]] = {
    "session": lambda: (
        Session.objects.present()
        .order_by("-last_activity_at")
        .values_list("key", flat=True)[:MOST_SESSIONS]
    ),
    "component": lambda: _newest(Component, "name"),
    "topic": lambda: _newest(Log, "name"),
    "template": lambda: _newest(Preset, "slug"),
    "approval": lambda: (
        Approval.objects.filter(state=approvals.State.PENDING)
        .order_by("expires_at")
        .values_list("pk", flat=True)[:MOST]
    ),
    "agent": lambda: _newest(Agent, "slug"),
    "policy": lambda: _newest(Policy, "slug"),
    "provider": lambda: _newest(Provider, "slug"),
    "server": lambda: _newest(ToolServer, "slug"),
    "credential": lambda: _newest(Credential, "prefix"),
    "run": lambda: _newest(Run, "pk"),
    "tag": lambda: _newest(Tag, "name"),
    "webhook": lambda: _newest(Webhook, "pk"),
}


def file() -> Path:
    """Where the cache stands."""
    return Path(settings.ENVIRONMENT.home) / FILE


def write(root: Any) -> Path:
    """Make the cache of a tree of commands, whole and at once, for its owner alone."""
    values = {kind: [str(one) for one in read()] for kind, read in VALUES.items()}
    target = file()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{FILE}.{os.getpid()}")
    with open(draft, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as text:
        json.dump({"commands": commands(root), "values": values}, text)
    draft.replace(target)
    return target


def commands(group: Any) -> dict[str, Any]:
    """The commands of a group by their names, groups in groups."""
    return {
        name: commands(one) if hasattr(one, "commands") else _command(one)
        for name, one in group.commands.items()
    }


def _command(one: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"--help": None}
    arguments = []
    for parameter in one.params:
        if parameter.param_type_name == "argument":
            arguments.append({"kind": _kind(parameter), "many": parameter.nargs == -1})
        elif parameter.name not in COMMON:
            is_flag = getattr(parameter, "is_flag", False)
            names = [*parameter.opts, *parameter.secondary_opts]
            options |= dict.fromkeys(names, None if is_flag else _kind(parameter))
    return {"options": options, "arguments": arguments}


def _kind(parameter: Any) -> list[str] | str:
    """The words that a parameter takes, or the kind of thing that it names."""
    choices = getattr(parameter.type, "choices", None)
    if choices:
        return [str(getattr(one, "value", one)) for one in choices]
    word = (parameter.metavar or parameter.name).lower().strip("[].")
    return word if word in VALUES else []


def _newest(model: Any, field: str) -> list[Any]:
    found = model.objects.order_by("-created_at").values_list(field, flat=True)[:MOST]
    return list(dict.fromkeys(found))
