"""What agents, tools and people did in a session, in words."""

from collections.abc import Callable, Mapping
from typing import Any

from aegis_project import marks
from aegis_project.marks import Mark
from sessions.core import tools

Data = Mapping[str, Any]
Tell = Callable[[Data], tuple[Mark, str, str]]
"""Makes of an event its mark, what happened, and what else there is to know."""

EVENT = Mark("event", "neutral")
MESSAGE = Mark("message", "neutral")
FILE = Mark("file", "neutral")
RUN, CALL, APPROVAL = marks.RUN, marks.TOOL_CALL, marks.APPROVAL


def told(data: Data, names: tuple[str, ...]) -> str:
    """Some of what an event says, one after the other."""
    said = []
    for name in names:
        value = data.get(name)
        if name == "required" and value is not None:
            said.append("required" if value else "optional")
        elif value:
            said.append(", ".join(map(str, value)) if isinstance(value, list) else str(value))
    return ", ".join(said)


def reason(data: Data) -> str:
    """Why, if somebody said so."""
    return str(data.get("reason") or "")


def _message(data: Data) -> tuple[Mark, str, str]:
    agent, role = data.get("agent"), data.get("role")
    is_asked = agent and role == "user"
    what = f"{agent} was asked" if is_asked else f"{agent or role or 'somebody'} said"
    return MESSAGE, what, str(data.get("preview") or "")


def _of_run(mark: Mark, verb: str, *facts: str) -> Tell:
    return lambda data: (mark, f"{data.get('agent', 'Run')} {verb}", told(data, facts))


def _completed(data: Data) -> tuple[Mark, str, str]:
    cost = str(data.get("cost") or "")
    if "." in cost:
        cost = cost.rstrip("0").rstrip(".")
    said = f"US$ {cost}" if cost not in ("", "0") else ""
    return RUN["completed"], f"{data.get('agent', 'Run')} is done", said


def _of_call(mark: Mark, verb: str, *facts: str) -> Tell:
    return lambda data: (mark, f"{_tool(data)} {verb}", told(data, facts))


def _tool(data: Data) -> str:
    return tools.parted(str(data.get("tool") or "tool"))[0]


def _of_file(verb: str) -> Tell:
    def tell(data: Data) -> tuple[Mark, str, str]:
        name = data.get("filename") or data.get("name") or "file"
        version = data.get("version", 1)
        which = name if version == 1 else f"{name}, version {version},"
        return FILE, f"{which} {verb}", told(data, ("content_type",))

    return tell


def _decided(data: Data) -> tuple[Mark, str, str]:
    state = str(data.get("state", "decided"))
    mark = APPROVAL.get(state, marks.UNKNOWN)
    edited = "edited" if data.get("edited") else ""
    said = [one for one in (f"by {data.get('by', '–')}", edited, reason(data)) if one]
    return mark, f"{_tool(data)} {state}", ", ".join(said)


WORK: dict[str, Tell] = {
    "message.created": _message,
    "message.updated": lambda d: (MESSAGE, "Message changed", told(d, ("fields",))),
    "tool_call.pending": _of_call(CALL["pending"], "asked for", "risk", "rule"),
    "tool_call.approved": _of_call(CALL["approved"], "may be called", "by"),
    "tool_call.rejected": _of_call(CALL["rejected"], "may not be called", "by", "reason"),
    "tool_call.started": _of_call(CALL["running"], "called"),
    "tool_call.completed": _of_call(CALL["completed"], "answered"),
    "tool_call.failed": _of_call(CALL["failed"], "failed", "code", "message"),
    "tool_call.expired": _of_call(CALL["expired"], "was not decided in time"),
    "tool_call.cancelled": _of_call(CALL["cancelled"], "is not called any more"),
    "tool_call.unknown": _of_call(CALL["unknown"], "may have been carried out, or not"),
    "stream.started": _of_run(MESSAGE, "begins to answer"),
    "stream.ended": _of_run(MESSAGE, "has answered", "state"),
    "run.queued": _of_run(RUN["queued"], "is to work", "task"),
    "run.started": _of_run(RUN["working"], "works"),
    "run.waiting": _of_run(RUN["waiting"], "waits", "for"),
    "run.resumed": _of_run(RUN["queued"], "can go on"),
    "run.released": _of_run(RUN["queued"], "was let go", "reason"),
    "run.completed": _completed,
    "run.failed": _of_run(RUN["failed"], "failed", "code", "message"),
    "run.cancelled": _of_run(RUN["cancelled"], "was cancelled", "reason"),
    "approval.requested": _of_call(APPROVAL["pending"], "needs a decision", "risk", "rule"),
    "approval.claimed": _of_call(APPROVAL["pending"], "is looked at", "by", "handed_by"),
    "approval.decided": _decided,
    "approval.expired": _of_call(APPROVAL["expired"], "was not decided in time"),
    "approval.cancelled": _of_call(APPROVAL["cancelled"], "needs no decision", "reason"),
    "attachment.uploaded": _of_file("came in"),
    "attachment.deleted": _of_file("removed"),
    "artifact.created": _of_file("made"),
    "artifact.deleted": _of_file("removed"),
    "policy.granted": _of_call(EVENT, "has a rule now", "verdict", "scope", "by"),
    "policy.revoked": _of_call(EVENT, "has its rule no more", "by"),
}
