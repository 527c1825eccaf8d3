"""How many sockets one address may have open, before anybody asks who is there."""

from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address, ip_address
from typing import Any

from django.conf import settings

from aegis_project.kit.crowd import Crowd
from components.auth import is_loopback
from streaming import metrics
from streaming.core.errors import CloseCode

Application = Callable[..., Awaitable[None]]

PEERS = Crowd()
# What one customer of a provider has of version 6.
NETWORK_BITS = 64
REASON = "too many sockets of this address"


def peer_of(scope: Any) -> str:
    """
    The address of whoever connects, of version 6 its network; empty for this machine.

    A proxy on this machine, which has clients of its own to count, and programs beside the server
    are nobody to be kept out.
    """
    client = (scope.get("client") or ("", 0))[0]
    try:
        address = ip_address(client)
    except ValueError:
        return ""
    if is_loopback(client):
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(int(address) >> NETWORK_BITS)
    return str(getattr(address, "ipv4_mapped", None) or address)


async def limited(serve: Application, peer: str, scope: Any, receive: Any, send: Any) -> None:
    """Serve a socket of a peer that has not too many; one beyond is closed with the reason."""
    if not PEERS.enter(peer, most=settings.ENVIRONMENT.sockets_per_peer):
        await receive()
        metrics.count_close("socket", CloseCode.CAPACITY)
        await send({"type": "websocket.accept"})
        close = {"type": "websocket.close", "code": int(CloseCode.CAPACITY), "reason": REASON}
        await send(close)
        return
    try:
        await serve(scope, receive, send)
    finally:
        PEERS.leave(peer)
