"""Where the runs of a process find their models and their tools."""

from sessions.agent import llm
from sessions.agent.tools import Tool, ToolSpec
from sessions.core.errors import ToolNotFound
from sessions.models import Agent, Run
from sessions.runs.reading import Equipment


class Bare:
    """A toolbox with nothing in it."""

    def specs(self) -> list[ToolSpec]:
        return []

    def find(self, name: str) -> Tool:
        raise ToolNotFound(tool=name)


def _toolbox_of(_run: Run, _agent: Agent) -> Bare:
    return Bare()


EQUIPMENT = Equipment(service_for=llm.service_for, toolbox_of=_toolbox_of)
