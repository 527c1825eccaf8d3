"""One table of hostile addresses, tried on everything that goes where somebody's text says."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest
from django.conf import settings as django_settings

from aegis_project import outward, sealed
from aegis_project.kit.errors import AddressRefused, AegisError
from sessions.agent import clients
from sessions.agent.asking import Failure
from sessions.agent.protocol import Limits
from sessions.selectors.providers import Access
from sessions.services.deliveries import Parcel
from sessions.toolbox import servers
from sessions.toolbox.builtin import web
from sessions.toolbox.servers import Server
from sessions.worker import webhooks
from tests.outside import Outside, Reply, outside

HOSTILE = (
    "http://127.0.0.1/",
    "http://localhost/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://168.63.129.16/",
    "http://100.100.100.200/",
    "http://192.168.1.1/",
    "http://224.0.0.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://user:word@8.8.8.8/",
    "ftp://8.8.8.8/",
    "file:///etc/passwd",
    "gopher://8.8.8.8/",
)
Use = Callable[[str], Awaitable[str]]


@pytest.fixture(autouse=True)
def closed(settings: Any) -> None:
    """Every host may be named, and no network is open but the public one."""
    said = {"outward_hosts": "*", "outward_networks": ""}
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=said)


@pytest.fixture
async def place() -> AsyncIterator[Outside]:
    with outside() as found:
        yield found


async def webhook(url: str) -> str:
    # Push notifications of A2A are such deliveries, too.
    parcel = Parcel(uuid.uuid4(), url, sealed.seal("whsec_MDEyMw=="), b"{}", 1)
    _, error = await webhooks.post(parcel)
    return error


async def tool(url: str) -> str:
    bounds = outward.allowed(hosts=web.hosts({}), redirects=web.REDIRECTS)
    return await failing(outward.request("GET", url, bounds=bounds))


async def tool_server(url: str) -> str:
    async def connect() -> None:
        async with servers.connected(Server("far", url, (), {})):
            pass

    return await failing(connect())


async def provider(url: str) -> str:
    access = Access("own", "openai", base_url=url, key="k", is_guarded=True)
    try:
        async with clients.model(access, "m", limits=Limits()):
            return ""
    except Failure as failure:
        return "ADDRESS_REFUSED" if not failure.is_passing else "passing"


async def library(url: str) -> str:
    bounds = outward.allowed(hosts=("*",))

    async def get() -> None:
        async with httpx2.AsyncClient(transport=outward.Guarded(bounds), trust_env=False) as client:
            await client.get(url)

    return await failing(get())


async def failing(work: Awaitable[object]) -> str:
    try:
        await work
    except AegisError as error:
        return error.code
    except httpx2.UnsupportedProtocol:
        return AddressRefused.code
    return ""


@pytest.mark.parametrize("use", [webhook, tool, tool_server, provider, library])
async def test_no_hostile_address_is_reached(use: Use):
    found = {url: await use(url) for url in HOSTILE}

    assert {url for url, said in found.items() if AddressRefused.code not in said} == set()


async def test_a_redirect_of_a_library_is_judged_like_its_first_address(
    settings: Any, place: Outside
):
    opened = {"outward_networks": "127.0.0.1"}
    settings.ENVIRONMENT = django_settings.ENVIRONMENT.model_copy(update=opened)
    place.replies["/away"] = Reply(302, b"", {"Location": "http://169.254.169.254/"})
    place.replies["/near"] = Reply(302, b"", {"Location": "/there"})
    guarded = outward.Guarded(outward.allowed(hosts=("*",)))

    async with httpx2.AsyncClient(transport=guarded, follow_redirects=True) as client:
        near = await client.post(place.url("/near", host="localhost"), content=b"x")
        with pytest.raises(AddressRefused):
            await client.get(place.url("/away"))

    assert (near.status_code, str(near.url)) == (200, place.url("/there", host="localhost"))
    assert [(one.path, one.headers["host"]) for one in place.visits] == [
        ("/near", f"localhost:{place.port}"),
        ("/there", f"localhost:{place.port}"),
        ("/away", f"127.0.0.1:{place.port}"),
    ]
