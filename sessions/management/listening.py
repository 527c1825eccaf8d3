"""The listening socket of a server, bound before anything else is done."""

import errno
import socket
from ipaddress import ip_address

BACKLOG = 2048
PORTS_TRIED = 50


class PortTaken(Exception):
    """Another program listens on this port."""


def bind(host: str, port: int) -> socket.socket:
    """
    A socket that listens; port 0 takes any free one.

    Both servers and several processes can be given it, and clients that come early wait in it.

    :raises PortTaken: if another program has the port
    :raises OSError: if this machine has no such address
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port) from None
        raise
    listener.settimeout(0)
    return listener


def bind_near(host: str, port: int) -> socket.socket:
    """
    A socket on this port, else on the next free one above it.

    :raises PortTaken: if there is none near
    """
    for offset in range(PORTS_TRIED):
        try:
            return bind(host, port + offset if port else 0)
        except PortTaken:
            continue
    raise PortTaken(port)


def url_of(listener: socket.socket) -> str:
    """How a browser on this machine reaches the socket."""
    return url(*listener.getsockname()[:2])


def url(host: str, port: int) -> str:
    """How a browser on this machine reaches what is bound to this address."""
    address = ip_address(host)
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def port_of(listener: socket.socket) -> int:
    """The port that it listens on."""
    return int(listener.getsockname()[1])


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what is bound to this host."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return False
    return all(ip_address(entry[4][0]).is_loopback for entry in found)
