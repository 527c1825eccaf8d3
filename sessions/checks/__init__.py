"""The checks beside those of every machine; importing this registers them."""

from aegis_project import certificates, room
from sessions.checks import load, rows, tapes

__all__ = ["certificates", "load", "room", "rows", "tapes"]
