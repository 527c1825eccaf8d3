"""Which hosts and addresses a server may be sent to by somebody else's text."""

import ipaddress
from collections.abc import Iterable, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# 168.63.129.16 serves the machines of one cloud, from an address that looks public.
_CLOSED_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_OPEN_V6 = ipaddress.IPv6Network("2000::/3")
# Tunnels are closed whole: what they lead to is another address.
_CLOSED_V6 = tuple(
    ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """
    Whether an address is one of the public network, whatever form it has.

    Loopback, private, link-local (and with it the metadata of clouds), shared, multicast, reserved
    and documentation addresses are not, neither where IPv6 carries them.

    :raises ValueError: if the text is no address
    """
    address = plain(text)
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    return address in _OPEN_V6 and not any(address in network for network in _CLOSED_V6)


def is_within(text: str, networks: Iterable[Network]) -> bool:
    """
    Whether an address is in one of the networks.

    :raises ValueError: if the text is no address
    """
    address = plain(text)
    return any(address in network for network in networks)


def plain(text: str) -> Address:
    """
    The address that is really reached: IPv4 that is mapped or translated into IPv6 is IPv4.

    :raises ValueError: if the text is no address
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _TRANSLATED:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """
    Networks as ``10.0.0.0/8``, or single addresses.

    :raises ValueError: if a text is neither
    """
    return tuple(ipaddress.ip_network(text) for text in texts)


def matches(host: str, patterns: Sequence[str]) -> bool:
    """
    Whether a host is allowed: by its name, by ``*.example.com`` for what is below it, by ``*``.

    Case and a final dot make no difference.
    """
    name = host.lower().rstrip(".")
    return any(_matches(name, pattern.lower()) for pattern in patterns)


def _matches(name: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return name.endswith(pattern[1:]) and len(name) >= len(pattern)
    return pattern in {"*", name}
