"""The rows of components."""

from components.models.component import Component
from components.models.credential import Credential
from components.models.launch import Launch
from components.models.program import Program
from components.models.tool_use import ToolUse

__all__ = ["Component", "Credential", "Launch", "Program", "ToolUse"]
