"""An agent as google-adk looks for one: a package with a module ``agent``."""

from assistant import agent as agent
