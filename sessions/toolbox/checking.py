"""Whether an agent could work now: its use, its model, its tools, its policy."""

import asyncio
from collections.abc import Iterator

from aegis_project.health import Finding, State
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from sessions.agent import llm, trial
from sessions.core import matching, references, tools
from sessions.models import Agent, ToolServer
from sessions.selectors import agents, providers
from sessions.services import trials
from sessions.toolbox import box, servers


def check(principal: Principal, slug: str, *, calls: bool = False) -> list[Finding]:
    """
    What can be said of an agent; with ``calls`` its model is asked a short question, too.

    :raises PermissionDenied: without the scope agents:read, and runs:write for the question
    :raises AgentNotFound: if it is not there for the principal
    :raises RateLimited: if a question would be a command too many
    """
    if not calls:
        return findings(agents.read(principal, slug))
    agent = trials.admit(principal=principal, agent=slug)
    return [*findings(agent), _called(principal, agent)]


def findings(agent: Agent) -> list[Finding]:
    """What can be said without asking the model; an error is what keeps the agent from working."""
    return [_use(agent), _model(agent), *_tools(agent), _policy(agent)]


def _use(agent: Agent) -> Finding:
    if agent.is_active:
        return Finding("use", State.OK, "It is in use.")
    mend = f"aegis agent update {agent.slug} --active"
    return Finding("use", State.ERROR, "It is not in use.", mend)


def _model(agent: Agent) -> Finding:
    try:
        llm.service_for(agent)
    except AegisError as error:
        mend = f"aegis agent update {agent.slug} --model PROVIDER:MODEL, or aegis provider list"
        return Finding("model", State.ERROR, f"{agent.model}: {error.message}", mend)
    if agent.model != references.DEFAULT:
        return Finding("model", State.OK, f"{agent.model} can be asked.")
    return Finding("model", State.OK, f"{agent.model} is {providers.default()}.")


def _tools(agent: Agent) -> Iterator[Finding]:
    if not agent.tools:
        yield Finding("tools", State.NOTICE, "It has no tools.")
    known = [spec.name for spec in box.catalogue()]
    active = set(ToolServer.objects.filter(is_active=True).values_list("slug", flat=True))
    for pattern in agent.tools:
        yield _tool(pattern, known, active)


def _tool(pattern: str, known: list[str], active: set[str]) -> Finding:
    found = [name for name in known if matching.like(name, pattern)]
    if found:
        return Finding("tools", State.OK, f"{pattern}: {', '.join(found)}.")
    if pattern.startswith(tools.COMPONENT):
        said = f"{pattern} is there while a component of its session offers it."
        return Finding("tools", State.NOTICE, said)
    if pattern.startswith(servers.PREFIX):
        slug = pattern.removeprefix(servers.PREFIX).partition(".")[0]
        if any(matching.like(one, slug) for one in active):
            return Finding("tools", State.OK, f"{pattern} is for its server to say.")
        said = f"There is no tool server {slug} in use for {pattern}."
        return Finding("tools", State.ERROR, said, "aegis tool-server list")
    return Finding("tools", State.ERROR, f"There is no tool {pattern}.", "aegis tool list")


def _policy(agent: Agent) -> Finding:
    if agent.policy is None:
        said = "It has no policy of its own; that of its session decides."
        return Finding("policy", State.NOTICE, said)
    count = len(agent.policy.rules)
    return Finding("policy", State.OK, f"{agent.policy.slug} has {count} rules.")


def _called(principal: Principal, agent: Agent) -> Finding:
    """What a model answers to one short question; the audit has who asked, and what it took."""
    try:
        service = llm.service_for(agent)
        answer = asyncio.run(service.complete(trial.prompt(agent), limits=trial.LIMITS))
    except AegisError as error:
        trials.failed(principal=principal, agent=agent.slug, error=error)
        return Finding("call", State.ERROR, f"{error.code}: {error.message}", "aegis provider list")
    detail = trial.summary(answer)
    trials.answered(principal=principal, agent=agent.slug, detail=detail)
    return Finding("call", State.OK, f"It answers: {answer.text}")
