"""The periodic work of components: control links, gates and the lost."""

from components.jobs.links import Links
from components.jobs.liveness import Liveness
from components.jobs.tool_uses import ToolUses
from components.jobs.watcher import Watcher

__all__ = ["Links", "Liveness", "ToolUses", "Watcher"]
