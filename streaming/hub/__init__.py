"""Delivery: what is published in this process, to the sockets it holds."""

from streaming.hub.connection import Connection
from streaming.hub.hub import Hub
from streaming.hub.limits import Limits

__all__ = ["Connection", "Hub", "Limits"]
