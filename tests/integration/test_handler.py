"""How a request goes through the process that serves it."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.signals import request_finished, request_started
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import path

from aegis_project import lanes
from aegis_project.handler import Handler
from aegis_project.lanes import Lanes
from tests import waiting

pytestmark = pytest.mark.django_db(transaction=True)

left = threading.Event()


def ask(_request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse(f"{threading.get_ident()} {id(connection.connection)}")


def stream(_request: HttpRequest) -> StreamingHttpResponse:
    async def pieces():
        try:
            while True:
                yield b"piece"
                await asyncio.sleep(0)
        finally:
            left.set()

    return StreamingHttpResponse(pieces())


def broken(_request: HttpRequest) -> StreamingHttpResponse:
    async def pieces():
        yield dict[str, bytes]()["none"]

    return StreamingHttpResponse(pieces())


urlpatterns = [path("ask", ask), path("stream", stream), path("broken", broken)]


@pytest.fixture(autouse=True)
def addresses(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def handler() -> Iterator[Handler]:
    found = Handler()
    yield found
    found.lanes.close()


@pytest.fixture
def own_lanes() -> Iterator[Lanes]:
    found = Lanes()
    yield found
    found.close()


def client(handler: Handler, address: str) -> ApplicationCommunicator:
    scope = {
        "type": "http",
        "method": "GET",
        "path": address,
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
    }
    return ApplicationCommunicator(handler, scope)


async def answer(handler: Handler, address: str) -> tuple[int, bytes]:
    asking = client(handler, address)
    await asking.send_input({"type": "http.request", "body": b""})
    start = await asking.receive_output(20)
    body = await asking.receive_output(20)
    await asking.wait()
    return start["status"], body["body"]


def meet(gate: threading.Barrier) -> int:
    gate.wait(20)
    return threading.get_ident()


async def test_requests_go_into_one_thread_one_after_the_other_and_each_goes_once(
    handler: Handler, monkeypatch: pytest.MonkeyPatch
):
    entered: list[object] = []
    run = Lanes.run

    async def enter(self: Lanes, call: Any, *args: Any) -> Any:
        entered.append(call)
        return await run(self, call, *args)

    monkeypatch.setattr(Lanes, "run", enter)

    answers = [await answer(handler, "/ask") for _ in range(3)]

    assert [status for status, _ in answers] == [200, 200, 200]
    assert len({body.split()[0] for _, body in answers}) == 1
    assert len(entered) == 3


async def test_a_thread_keeps_a_connection_to_a_file_and_gives_one_to_a_server_back(
    handler: Handler,
):
    _, first = await answer(handler, "/ask")
    is_open = await handler.lanes.run(lambda: connection.connection is not None)
    _, second = await answer(handler, "/ask")

    assert is_open == (connection.vendor == "sqlite")
    assert first == second or not is_open


async def test_requests_at_a_time_have_threads_of_their_own_of_which_some_are_kept(
    own_lanes: Lanes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lanes, "KEPT", 2)
    gate = threading.Barrier(4)

    idents = await asyncio.gather(*(own_lanes.run(meet, gate) for _ in range(4)))
    again = await asyncio.gather(*(own_lanes.run(threading.get_ident) for _ in range(2)))

    assert len(set(idents)) == 4
    assert set(again) < set(idents)


async def test_a_thread_whose_caller_has_left_is_used_again_when_it_is_free(own_lanes: Lanes):
    gate, meeting = threading.Event(), threading.Barrier(2)
    leaving = asyncio.create_task(own_lanes.run(gate.wait, 20))
    await asyncio.sleep(0)

    leaving.cancel()
    other = await own_lanes.run(threading.get_ident)
    gate.set()
    await waiting.until(lambda: len(own_lanes._idle) == 2)
    both = await asyncio.gather(own_lanes.run(meet, meeting), own_lanes.run(meet, meeting))

    assert leaving.cancelled()
    assert other in both


async def test_each_request_is_told_to_begin_and_to_end(handler: Handler):
    told: list[str] = []

    def begun(**_: Any) -> None:
        told.append("begun")

    def ended(**_: Any) -> None:
        told.append("ended")

    request_started.connect(begun)
    request_finished.connect(ended)
    try:
        await answer(handler, "/ask")
    finally:
        request_started.disconnect(begun)
        request_finished.disconnect(ended)

    assert told == ["begun", "ended"]


async def test_a_stream_ends_when_its_client_leaves(handler: Handler):
    left.clear()
    asking = client(handler, "/stream")
    await asking.send_input({"type": "http.request", "body": b""})
    await asking.receive_output(20)
    await asking.receive_output(20)

    await asking.send_input({"type": "http.disconnect"})

    await waiting.until(left.is_set)
    async with asyncio.timeout(20):
        await asking.wait()


async def test_what_a_stream_fails_with_reaches_the_server(handler: Handler):
    asking = client(handler, "/broken")
    await asking.send_input({"type": "http.request", "body": b""})
    await asking.receive_output(20)

    with pytest.raises(LookupError):
        await asking.wait()


async def test_an_answer_names_its_request_and_what_is_missing_is_told(handler: Handler):
    response = await handler.get_response_async(RequestFactory().get("/nothing/there"))

    assert response.status_code == 404
    assert response.headers["X-Request-ID"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_static_file_is_served_on_the_loop_with_what_security_says(
    handler: Handler, monkeypatch: pytest.MonkeyPatch
):
    async def refuse(*_: Any) -> None:
        raise AssertionError("A file needs no thread.")

    monkeypatch.setattr(Lanes, "run", refuse)

    found = await handler.get_response_async(RequestFactory().get("/static/aegis/shapes.svg"))

    assert found.status_code == 200
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    assert found.headers["X-Request-ID"]


async def test_over_http_a_static_file_is_somewhere_else_where_only_https_is_served(settings: Any):
    settings.SECURE_SSL_REDIRECT = True

    found = await Handler().get_response_async(RequestFactory().get("/static/aegis/shapes.svg"))

    assert found.status_code == 301
    assert found.headers["Location"] == "https://testserver/static/aegis/shapes.svg"
