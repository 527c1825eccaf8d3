"""Policies: ordered rules outside of the model that say what a tool call needs, from whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from aegis_project.kit.errors import ValidationFailed
from components.core.scopes import SCOPES
from sessions.core import approvals, matching
from sessions.core.freshness import Guard
from sessions.core.lifecycle import Environment
from sessions.core.matching import Condition
from sessions.core.tool_calls import Risk

MOST_RULES = 200
LONGEST_SECONDS = 30 * 24 * 3600
LAST_YEAR = 9998

Kind = Literal["auto", "notify", "approve", "deny"]
# From what lets most by to what lets nothing by.
SEVERITY: dict[str, int] = {"auto": 0, "notify": 1, "approve": 2, "deny": 3}

Pattern = Annotated[str, Meta(min_length=1, max_length=200)]
Patterns = Pattern | list[Pattern]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}\Z")]


class Who(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    Who may decide: whoever has the scope ``permission``, as far as nothing else excludes them.

    ``four_eyes`` excludes who caused the run and who decided on this call before, ``not_owner``
    the owner of the session. With ``reason`` a rejection needs one. Of a decision without
    ``remember`` no rule can be made.
    """

    permission: str = "approvals:decide"
    four_eyes: bool = False
    not_owner: bool = False
    reason: bool = False
    remember: bool = True

    def __post_init__(self) -> None:
        if self.permission not in SCOPES:
            raise ValueError(f"There is no scope {self.permission[:80]}")


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One rule: what it is about, and what then is to happen.

    Everything that is said of a call must be true. ``tool``, ``agent`` and ``user`` are patterns
    in which ``*`` is any text; ``cost_above`` is what the run has cost so far, in US dollars.
    Where a path of ``arguments`` leads to several values, a rule that lets a call by needs all of
    them, one that holds it needs any.
    """

    verdict: Kind
    name: Name | None = None
    description: Annotated[str, Meta(max_length=500)] = ""
    tool: Patterns = "*"
    arguments: list[Condition] = []
    agent: Patterns = "*"
    user: Patterns = "*"
    environment: list[Environment] = []
    risk: list[Risk] = []
    cost_above: Annotated[float, Meta(ge=0)] | None = None
    who: Who = Who()
    seconds: Annotated[int, Meta(ge=1, le=LONGEST_SECONDS)] = approvals.TIMEOUT_SECONDS
    on_timeout: Literal["reject", "approve"] = "reject"
    freshness: list[Guard] = []
    stops_clock: bool = False

    def matches(self, facts: "Facts") -> bool:
        """Whether this rule is about such a call."""
        return (
            _is_one_of(facts.tool, self.tool)
            and _is_one_of(facts.agent, self.agent)
            and self._is_of(facts.user)
            and (not self.environment or facts.environment in self.environment)
            and (not self.risk or facts.risk in self.risk)
            and (self.cost_above is None or facts.cost > self.cost_above)
            and self._holds(facts.arguments)
        )

    def _is_of(self, actor: str) -> bool:
        # People are known by their name; an actor says also what they are.
        return any(_is_one_of(one, self.user) for one in (actor, actor.partition(":")[2]))

    def _holds(self, arguments: dict[str, Any]) -> bool:
        of_each = SEVERITY[self.verdict] < SEVERITY["approve"]
        return all(matching.holds(one, arguments, of_each=of_each) for one in self.arguments)


class Remember(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    The rule that a decision is to become: for the same tool, as long as ``conditions`` hold.

    ``scope`` is this run, this session, or this agent in this environment (of this team), up to
    ``until``.
    """

    scope: Literal["run", "session", "agent"]
    until: Annotated[datetime, Meta(tz=True)] | None = None
    conditions: Annotated[list[Condition], Meta(max_length=50)] = []

    def __post_init__(self) -> None:
        if self.until is not None and self.until.year > LAST_YEAR:
            raise ValueError(f"A rule ends before {LAST_YEAR + 1}")


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules may ask of a call; ``user`` is the actor who caused the run, ``cost`` US dollars."""

    tool: str
    arguments: dict[str, Any]
    risk: Risk
    agent: str
    user: str
    environment: Environment
    cost: float = 0.0
    always_ask: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What is to become of a call, by which rule, and if somebody has to decide, who and how long.

    ``seconds`` is the time to decide, ``on_timeout`` what its end does; ``stops_clock`` says that
    it stands still while the session is paused. ``parameters`` is the JSON Schema of what may be
    edited.
    """

    kind: Kind
    rule: str
    who: Who = field(default_factory=Who)
    seconds: int = approvals.TIMEOUT_SECONDS
    on_timeout: Literal["reject", "approve"] = "reject"
    freshness: tuple[Guard, ...] = ()
    stops_clock: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def lets_by(self) -> bool:
        """Whether the call needs no decision."""
        return self.kind in {"auto", "notify"}


def read(rules: Any) -> tuple[Rule, ...]:
    """
    The rules of a policy.

    :raises ValidationFailed: naming every place that is not right, as ``rules[2].tool``
    """
    if not isinstance(rules, list) or len(rules) > MOST_RULES:
        raise ValidationFailed(f"rules is a list of at most {MOST_RULES}.", fields=["rules"])
    found, faults = [], {}
    for number, one in enumerate(rules):
        try:
            found.append(msgspec.convert(one, Rule))
        except msgspec.ValidationError as error:
            what, _, where = str(error).partition(" - at `$")
            faults[f"rules[{number}]{where.rstrip('`')}"] = what
    faults |= _repeated(found)
    if faults:
        told = "; ".join(f"{place}: {what}" for place, what in faults.items())
        raise ValidationFailed(f"{told}."[:2000], fields=list(faults))
    return tuple(found)


def _repeated(rules: Sequence[Rule]) -> dict[str, str]:
    names = [rule.name for rule in rules if rule.name]
    twice = sorted({name for name in names if names.count(name) > 1})
    return {"rules": f"two have the name {', '.join(twice)}"} if twice else {}


def in_order(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A stored rule with its members in the order of :class:`Rule`; a database keeps none."""
    return {name: rule[name] for name in Rule.__struct_fields__ if name in rule}


def judge(rules: Iterable[Rule], facts: Facts, *, policy: str) -> Verdict | None:
    """What the first rule that matches says, named ``POLICY/RULE``; None when there is none."""
    for number, rule in enumerate(rules, 1):
        if rule.matches(facts):
            return Verdict(
                kind=rule.verdict,
                rule=f"{policy}/{rule.name or number}",
                who=rule.who,
                seconds=rule.seconds,
                on_timeout=rule.on_timeout,
                freshness=tuple(rule.freshness),
                stops_clock=rule.stops_clock,
            )
    return None


def decided(found: Iterable[Verdict | None], facts: Facts) -> Verdict:
    """
    The one verdict on a call, of those of several policies: the most severe, of equals the first.

    What no rule is about is let by when the tool is safe and the session not in production, else
    somebody has to approve. A tool that always asks does so where others would be let by.
    """
    known = [verdict for verdict in found if verdict is not None]
    verdict = max(known, key=lambda one: SEVERITY[one.kind]) if known else unmatched(facts)
    if facts.always_ask and verdict.lets_by:
        return Verdict(kind="approve", rule="tool/always-ask", who=Who(remember=False))
    return verdict


def unmatched(facts: Facts) -> Verdict:
    """What becomes of a call that no rule is about."""
    if facts.risk is Risk.SAFE and facts.environment is not Environment.PRODUCTION:
        return Verdict(kind="auto", rule="default/safe")
    return Verdict(kind="approve", rule="default/ask")


def _is_one_of(text: str, patterns: Patterns) -> bool:
    several = [patterns] if isinstance(patterns, str) else patterns
    return any(matching.like(text, pattern) for pattern in several)


AUTO, MANUAL = "auto", "manual"

READY: dict[str, tuple[str, list[dict[str, Any]]]] = {
    AUTO: (
        "Lets every call by, but those of tools that always ask.",
        [{"name": "everything", "verdict": "auto"}],
    ),
    MANUAL: (
        "Somebody approves every call.",
        [{"name": "everything", "verdict": "approve"}],
    ),
}
"""The policies that exist without being made, which seed 004 calls approval modes."""
