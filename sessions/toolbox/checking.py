"""Whether an agent could work now: its use, its model, its tools, its policy."""

from collections.abc import Iterator

from aegis_project.health import Finding, State
from aegis_project.kit.errors import AegisError
from sessions.agent import llm
from sessions.core import matching, references, tools
from sessions.models import Agent, ToolServer
from sessions.selectors import providers
from sessions.toolbox import box, servers


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
