"""Requests that leave this server for an address which somebody else chose."""

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx2
from django.conf import settings

from aegis_project.kit import addresses
from aegis_project.kit.errors import AddressRefused, PayloadTooLarge, Unreachable

REDIRECTS = frozenset({301, 302, 303, 307, 308})
SAFE_METHODS = frozenset({"GET", "HEAD"})
OURS = {"User-Agent": "aegis"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    What one request may do.

    ``hosts`` are names, ``*.example.com`` or ``*``. ``networks`` may be reached although they are
    not public. ``redirects`` are followed for GET and HEAD only, each as carefully as the first
    address. ``max_bytes`` is the most of an answer's body, times are seconds.
    """

    hosts: tuple[str, ...]
    networks: tuple[addresses.Network, ...] = ()
    max_bytes: int = 1024 * 1024
    connect_seconds: float = 5.0
    total_seconds: float = 30.0
    redirects: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, from ``url``; the names of ``headers`` are lower-case."""

    status: int
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def allowed(*, hosts: Sequence[str], **rest: Any) -> Bounds:
    """Bounds with the networks that ``AEGIS_OUTWARD_NETWORKS`` opens."""
    return Bounds(tuple(hosts), networks=settings.ENVIRONMENT.open_networks(), **rest)


async def request(
    method: str,
    url: str,
    *,
    bounds: Bounds,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
) -> Answer:
    """
    Send one request within its bounds, without proxies, cookies or credentials of this machine.

    A name is resolved once, all its addresses are judged, and the connection goes to one of those.
    A redirect to elsewhere gets none of the ``headers``. Whatever status comes is an answer.

    :raises AddressRefused: for an address, a host or a scheme that is not allowed
    :raises PayloadTooLarge: if the body of the answer is longer than ``max_bytes``
    :raises Unreachable: if there is no answer, or none in time
    """
    try:
        async with asyncio.timeout(bounds.total_seconds):
            return await _follow(method, url, dict(headers or {}), content, bounds)
    except TimeoutError:
        raise Unreachable("There was no answer in time.", url=_shown(url)) from None


async def check(url: str, *, bounds: Bounds) -> None:
    """
    Go on only to an address that may be reached.

    :raises AddressRefused: for an address, a host or a scheme that is not allowed
    :raises Unreachable: for a host that nobody knows
    """
    await _resolve(_parsed(url), bounds)


class Guarded(httpx2.AsyncBaseTransport):
    """
    The same care for libraries that have clients of their own, for each request and redirect.

    :raises AddressRefused: for an address, a host or a scheme that is not allowed
    """

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.inner = httpx2.AsyncHTTPTransport(verify=_trust(), trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to an address that was judged just now; its name stays in TLS and Host."""
        url = _parsed(str(request.url))
        found = await _resolve(url, self.bounds)
        made = httpx2.Request(
            request.method,
            url.copy_with(host=found[0]),
            headers=[*request.headers.raw],
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": url.raw_host.decode("ascii")},
        )
        made.headers["Host"] = url.netloc.decode("ascii")
        return await self.inner.handle_async_request(made)

    async def aclose(self) -> None:
        """Close what is kept open."""
        await self.inner.aclose()


async def _follow(
    method: str, url: str, headers: dict[str, str], content: bytes, bounds: Bounds
) -> Answer:
    target = _parsed(url)
    for _ in range(bounds.redirects + 1):
        answer = await _send(method, target, headers, content, bounds)
        onward = answer.headers.get("location")
        if answer.status not in REDIRECTS or not onward or not bounds.redirects:
            return answer
        if method not in SAFE_METHODS:
            return answer
        following = _parsed(str(target.join(onward)))
        if _origin(following) != _origin(target):
            headers = {}
        target = following
    raise Unreachable("There are too many redirects.", url=_shown(url))


async def _send(
    method: str, url: httpx2.URL, headers: dict[str, str], content: bytes, bounds: Bounds
) -> Answer:
    found = await _resolve(url, bounds)
    for address in found[:-1]:
        try:
            return await _send_to(address, method, url, headers, content, bounds)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            continue
    try:
        return await _send_to(found[-1], method, url, headers, content, bounds)
    except (httpx2.TransportError, httpx2.InvalidURL, ssl.SSLError) as error:
        raise Unreachable(_why(error), url=_shown(url)) from None


async def _send_to(
    address: str,
    method: str,
    url: httpx2.URL,
    headers: dict[str, str],
    content: bytes,
    bounds: Bounds,
) -> Answer:
    # The connection goes to the address that was judged; the name stays in TLS and in Host. A
    # client of its own shares no connection and no cookie with anybody.
    timeout = httpx2.Timeout(bounds.total_seconds, connect=bounds.connect_seconds)
    async with httpx2.AsyncClient(verify=_trust(), trust_env=False, headers=OURS) as client:
        made = client.build_request(
            method,
            url.copy_with(host=address),
            headers={**headers, "Accept-Encoding": "identity", "Host": url.netloc.decode("ascii")},
            content=content,
            extensions={"sni_hostname": url.raw_host.decode("ascii"), "timeout": timeout.as_dict()},
        )
        response = await client.send(made, stream=True, follow_redirects=False)
        try:
            body = b"" if response.is_redirect else await _read(response, bounds.max_bytes)
        finally:
            await response.aclose()
    return Answer(response.status_code, str(url), dict(response.headers), body)


async def _read(response: httpx2.Response, max_bytes: int) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        # A few bytes may become any number of them.
        raise Unreachable("The answer is compressed, which nobody asked for.")
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > max_bytes:
            raise PayloadTooLarge("The answer is longer than allowed.", max_bytes=max_bytes)
    return bytes(body)


async def _resolve(url: httpx2.URL, bounds: Bounds) -> list[str]:
    host = url.raw_host.decode("ascii")
    if not addresses.matches(host, bounds.hosts):
        raise AddressRefused("This host is not among those allowed.", host=host)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        loop = asyncio.get_running_loop()
        rows = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable("The host is not known.", host=host) from None
    found = list(dict.fromkeys(str(row[4][0]) for row in rows))
    refused = [one for one in found if not _is_allowed(one, bounds)]
    if refused or not found:
        raise AddressRefused("This host is not on the public network.", host=host)
    return found


def _is_allowed(address: str, bounds: Bounds) -> bool:
    return addresses.is_public(address) or addresses.is_within(address, bounds.networks)


def _parsed(text: str) -> httpx2.URL:
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL:
        raise AddressRefused("This is no address.") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise AddressRefused("Only http and https addresses are reached.", scheme=url.scheme)
    if url.userinfo:
        raise AddressRefused("An address may hold no credentials.")
    return url


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


@cache
def _trust() -> ssl.SSLContext:
    # Made once: reading the certificates of the world takes longer than most requests.
    return httpx2.create_ssl_context(trust_env=False)


def _shown(url: httpx2.URL | str) -> str:
    # A query may hold a secret; errors are kept.
    return str(url).partition("?")[0][:500]


def _why(error: Exception) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "There was no answer in time."
    if isinstance(error, httpx2.ConnectError):
        return "No connection could be made."
    return "The connection broke."
