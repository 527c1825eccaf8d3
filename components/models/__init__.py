"""The rows of components."""

from components.models.component import Component
from components.models.credential import Credential
from components.models.launch import Launch
from components.models.program import Program

__all__ = ["Component", "Credential", "Launch", "Program"]
