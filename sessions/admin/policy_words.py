"""The rules of a policy in words, in the order in which they are asked."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aegis_project import marks
from sessions.core import approvals

VERDICTS = {
    "auto": "goes by",
    "notify": "goes by, and is told",
    "approve": "waits for somebody",
    "deny": "is denied",
}
ABOUT = {"tool": "tool", "agent": "agent", "user": "asked by", "risk": "risk", "environment": "in"}


class Told(NamedTuple):
    """One rule: its name, which calls it is about, what becomes of them, and how long that may be."""

    name: str
    about: str
    verdict: str
    time: str


def told(rules: Sequence[Mapping[str, Any]]) -> list[Told]:
    """All rules of a policy as its page shows them."""
    return [
        Told(
            str(rule.get("name") or ""),
            ", ".join(_about(rule)) or "every call",
            VERDICTS.get(str(rule.get("verdict")), str(rule.get("verdict"))),
            _time(rule) if rule.get("verdict") == "approve" else "",
        )
        for rule in rules
    ]


def _about(rule: Mapping[str, Any]) -> list[str]:
    said = [
        f"{word} {_either(rule[name])}"
        for name, word in ABOUT.items()
        if rule.get(name) and rule[name] != "*"
    ]
    said += [
        " ".join(str(one[part]) for part in ("path", "op", "value") if part in one)
        for one in rule.get("arguments") or []
    ]
    if rule.get("cost_above") is not None:
        said.append(f"above {rule['cost_above']:g} US $")
    return said


def _either(value: Any) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list) else str(value)


def _time(rule: Mapping[str, Any]) -> str:
    seconds = rule.get("seconds", approvals.TIMEOUT_SECONDS)
    end = "approved" if rule.get("on_timeout") == "approve" else "refused"
    return f"{marks.duration(float(seconds))}, then {end}"
