"""Whose request is being carried out: the address of the peer, in whatever thread that is done."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

_address: ContextVar[str] = ContextVar("aegis.peer", default="")


def note(scope: Mapping[str, Any]) -> None:
    """From here on in this task, it is for the client of this ASGI scope."""
    client = scope.get("client")
    _address.set(client[0] if client else "")


def address() -> str:
    """The address of the peer as the server knows it; empty where there is none."""
    return _address.get()
