"""Reading teams."""

from components.selectors import DEFAULT_TEAM as DEFAULT
from components.selectors import default_team as default
from components.selectors import team_for_new as for_new

__all__ = ["DEFAULT", "default", "for_new"]
