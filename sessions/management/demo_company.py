"""Who takes part in the demo beside its programs: agents, their policy, and what wakes them."""

from dataclasses import asdict, dataclass
from typing import Any

from aegis_project.kit import principal as principals
from sessions.core.catalogue import AgentDraft
from sessions.core.flash_dip import words
from sessions.management.serving import CannotServe
from sessions.models import Agent, Policy, Session, Trigger
from sessions.services import agents, policy_catalogue, triggers
from sessions.services.triggers import TriggerDraft

PRINCIPAL = principals.system("run")
POLICY = "flash-dip"
MARK = f"Of the demo: `aegis demo reset` removes it ({words.TAG})."
# Seconds of the story: to decide, and between two words of an agent.
DECIDE_SECONDS, WORD_SECONDS = 120, 0.12


@dataclass(frozen=True, slots=True)
class Part:
    """An agent of the story: its script and tools, and which record wakes it."""

    slug: str
    does: str
    script: str
    tools: tuple[str, ...]
    topic: str = ""
    phases: tuple[str, ...] = ()


PARTS = (
    Part(
        words.DETECTION,
        "Opens an incident when the risk meter sounds an alarm.",
        "flash-dip-detection",
        (words.OPEN_INCIDENT,),
        words.ALERTS,
    ),
    Part(
        words.TRIAGE,
        "Reads the ticks around an incident and explains what happened.",
        "flash-dip-triage",
        ("read_topic", "publish"),
        words.INCIDENTS,
        (words.OPENED,),
    ),
    Part(
        words.RESOLUTION,
        "Asks to close the position or to halt the strategy, and says what became of it.",
        "flash-dip-resolution",
        (words.FLATTEN, words.HALT, "publish", "post_note"),
        words.INCIDENTS,
        (words.EXPLAINED,),
    ),
    Part(
        words.AUDIT,
        "Writes the report: position, decision and who decided.",
        "flash-dip-audit",
        (words.READ_INCIDENT, "write_artifact"),
        words.INCIDENTS,
        (words.RESUMED, words.UNRESOLVED),
    ),
    Part(
        words.HOST,
        "Answers people beside the story; asks before it acts.",
        "assistant",
        ("list_topics", "read_topic", words.HALT, words.RESTART, words.FLATTEN),
    ),
)


def rules(speed: float) -> list[dict[str, Any]]:
    """The rules of the policy of the story; who decides has less time when it runs fast."""
    seconds = max(1, round(DECIDE_SECONDS / speed))
    return [
        {"name": "incident records", "verdict": "auto", "tool": "publish", "arguments": [INCIDENT]},
        {"name": "looking and writing", "verdict": "auto", "risk": ["safe", "low"]},
        {
            "name": "what cannot be undone",
            "verdict": "approve",
            "risk": ["high"],
            "seconds": seconds,
            "stops_clock": True,
        },
        {"name": "everything else", "verdict": "approve", "seconds": seconds, "stops_clock": True},
    ]


INCIDENT = {"path": "topic", "op": "eq", "value": words.INCIDENTS}


def gather(session: Session, *, speed: float) -> None:
    """
    Let the agents of the story, their policy and their triggers in this session be there.

    :raises CannotServe: if somebody else has an agent or a policy of such a name
    """
    refuse_strangers()
    _policy(rules(speed))
    for part in PARTS:
        row = _agent(part, speed)
        if part.topic and not Trigger.objects.filter(agent=row, session=session).exists():
            triggers.create(principal=PRINCIPAL, agent=row, draft=_trigger(part, session))


def refuse_strangers() -> None:
    """
    Touch nothing that is not the demo's.

    :raises CannotServe: naming what has a name that the demo needs
    """
    names = [part.slug for part in PARTS]
    found = [*Agent.objects.filter(slug__in=names), *Policy.objects.filter(slug=POLICY)]
    strangers = [row.slug for row in found if row.description.endswith(MARK) is False]
    if strangers:
        raise CannotServe(
            f"{', '.join(sorted(strangers))} is not the demo's, and the demo needs the name.",
            "Rename it, or leave the demo out with --no-demo.",
        )


def agents_of() -> list[Agent]:
    """The agents that the demo made."""
    rows = Agent.objects.filter(slug__in=[part.slug for part in PARTS])
    return list(rows.filter(description__endswith=MARK).order_by("slug"))


def policies_of() -> list[Policy]:
    """The policy that the demo made, if it is there."""
    return list(Policy.objects.filter(slug=POLICY, description__endswith=MARK))


def _policy(wanted: list[dict[str, Any]]) -> None:
    found = Policy.objects.filter(slug=POLICY).first()
    if found is None:
        policy_catalogue.define(
            principal=PRINCIPAL, slug=POLICY, name="Flash dip", rules=wanted, description=MARK
        )
    elif found.rules != wanted:
        policy_catalogue.change(principal=PRINCIPAL, policy=POLICY, changes={"rules": wanted})


def _agent(part: Part, speed: float) -> Agent:
    draft = AgentDraft(
        slug=part.slug,
        name=part.slug,
        description=f"{part.does} {MARK}",
        model=f"scripted:{part.script}",
        tools=part.tools,
        policy=POLICY,
        settings={"pause_seconds": round(WORD_SECONDS / speed, 4)},
        visibility="internal",
    )
    found = Agent.objects.filter(slug=part.slug).first()
    if found is None:
        return agents.create(principal=PRINCIPAL, draft=draft).agent
    wanted = {name: value for name, value in asdict(draft).items() if name in KEPT}
    if any(getattr(found, name) != value for name, value in wanted.items()):
        return agents.update(principal=PRINCIPAL, agent=part.slug, changes=wanted).agent
    return found


KEPT = ("model", "settings")


def _trigger(part: Part, session: Session) -> TriggerDraft:
    condition = {"path": "phase", "op": "in", "value": list(part.phases)}
    return TriggerDraft(
        pattern=part.topic,
        condition={"all": [condition]} if part.phases else {},
        cooldown_seconds=0,
        session=session,
    )
