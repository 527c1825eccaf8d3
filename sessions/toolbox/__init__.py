"""
The tools that runs may use, whatever their source.

A package offers its own under the entry point group ``aegis.tools``: functions under
:func:`sessions.toolbox.define.tool`.
"""

from sessions.toolbox.box import catalogue, of
from sessions.toolbox.define import Definition, tool

__all__ = ["Definition", "catalogue", "of", "tool"]
