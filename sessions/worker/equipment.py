"""Where the runs of a process find their models and their tools."""

from sessions import toolbox
from sessions.agent import llm
from sessions.runs.reading import Equipment

EQUIPMENT = Equipment(service_for=llm.service_for, toolbox_of=toolbox.of)
