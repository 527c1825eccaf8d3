"""The rows of components."""

from components.models.component import Component
from components.models.credential import Credential

__all__ = ["Component", "Credential"]
