"""Sockets that are refused are counted, by what they were and why."""

import asyncio
from typing import Any

import pytest
from prometheus_client import REGISTRY

from aegis_project import peers
from sessions.consumers import LiveConsumer
from sessions.dialects.bus.socket import BusConsumer
from sessions.dialects.session_socket import SessionConsumer
from streaming import metrics
from streaming.core.errors import CloseCode

pytestmark = pytest.mark.django_db(transaction=True)

SAID = [
    {"type": "websocket.connect"},
    {"type": "websocket.receive", "text": '{"type": "authenticate", "token": "aeg_no_such"}'},
    {"type": "websocket.disconnect", "code": 1000},
]


async def refused(consumer: Any, **headers: str) -> list[str]:
    """How a socket ends for somebody with these headers, who shows a secret that opens nothing."""
    told: list[str] = []
    coming = iter(SAID)

    async def receive() -> Any:
        return next(coming)

    async def send(event: Any) -> None:
        told.append(event["type"])

    scope = {
        "type": "websocket",
        "path": "/",
        "scheme": "ws",
        "query_string": b"",
        "headers": [(name.encode(), one.encode()) for name, one in headers.items()],
        "client": ("192.0.2.7", 1),
        "url_route": {"kwargs": {"session": "k"}},
    }
    async with asyncio.timeout(20):
        await consumer(scope, receive, send)
    return told


def count(transport: str, why: str) -> float:
    labels = {"transport": transport, "why": why}
    return REGISTRY.get_sample_value("aegis_refusals_total", labels) or 0.0


@pytest.mark.parametrize(
    ("consumer", "headers", "counted"),
    [
        (LiveConsumer, {"host": "desk", "origin": "http://else"}, ("live", "origin")),
        (LiveConsumer, {"host": "desk", "origin": "http://desk"}, ("live", "credential")),
        (SessionConsumer, {"host": "desk"}, ("socket", "credential")),
        (BusConsumer, {"host": "desk"}, ("socket", "credential")),
        (
            BusConsumer,
            {"host": "desk", "origin": "http://else", "cookie": "sessionid=x"},
            ("socket", "origin"),
        ),
    ],
)
async def test_who_is_not_let_in_is_counted(
    consumer: Any, headers: dict[str, str], counted: tuple[str, str]
):
    before = count(*counted)

    told = await refused(consumer(), **headers)

    assert told[-1] == "websocket.close"
    assert count(*counted) == before + 1


async def test_one_socket_too_many_of_an_address_is_counted(settings: Any):
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"sockets_per_peer": 1})
    before = count("socket", "capacity")
    peers.PEERS.enter("192.0.2.7", most=0)

    try:
        told = await refused(
            lambda scope, receive, send: peers.limited(
                BusConsumer(), "192.0.2.7", scope, receive, send
            ),
            host="desk",
        )
    finally:
        peers.PEERS.leave("192.0.2.7")

    assert told == ["websocket.accept", "websocket.close"]
    assert count("socket", "capacity") == before + 1


def test_only_what_refuses_somebody_is_counted():
    before = count("data", "rate")

    metrics.count_close("data", CloseCode.RATE_LIMITED)
    metrics.count_close("data", CloseCode.DRAINING)

    assert count("data", "rate") == before + 1
    assert set(metrics.REFUSING.values()) == {
        "credential",
        "permission",
        "size",
        "capacity",
        "rate",
    }
