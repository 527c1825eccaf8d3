import threading
from typing import Any

import asgiref.sync as asgiref_sync
import pytest
from django.test import RequestFactory

from aegis_project.handler import Handler


@pytest.fixture
def handler() -> Handler:
    return Handler()


async def test_a_request_goes_into_threads_a_few_times_only(handler: Handler, monkeypatch: Any):
    entered: list[str] = []
    began = asgiref_sync.SyncToAsync.thread_handler

    def enter(self: Any, *args: Any, **kwargs: Any) -> Any:
        entered.append(threading.current_thread().name)
        return began(self, *args, **kwargs)

    monkeypatch.setattr(asgiref_sync.SyncToAsync, "thread_handler", enter)

    response = await handler.get_response_async(RequestFactory().get("/nothing/there"))

    assert response.status_code == 404
    assert response.headers["X-Request-ID"]
    assert len(entered) <= 4
