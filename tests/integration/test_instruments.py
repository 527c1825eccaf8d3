import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from aegis_project import instruments
from aegis_project.database import run_db
from aegis_project.logs import Brief, JSONFormatter
from sessions.core.lifecycle import State
from tests import factories, spans
from tests.calling import caller
from tests.spans import Recorder


@pytest.fixture(autouse=True)
def nothing_said() -> Iterator[None]:
    instruments.begin()
    yield
    instruments.begin()


def line(message: str = "It rains", **extra: Any) -> dict[str, Any]:
    record = logging.getLogger("aegis").makeRecord(
        "aegis", logging.INFO, "here", 1, message, (), None, extra=extra
    )
    found: dict[str, Any] = json.loads(JSONFormatter().format(record))
    return found


def test_a_line_has_the_fields_of_its_work():
    instruments.begin(request_id="r-1", principal="user:anna", session="")

    with instruments.noting(command="session.start"):
        inside = line(action="rain")
    outside = line()

    assert inside | {"ts": ""} == {
        "ts": "",
        "level": "info",
        "logger": "aegis",
        "message": "It rains",
        "request_id": "r-1",
        "principal": "user:anna",
        "command": "session.start",
        "action": "rain",
    }
    assert "command" not in outside


async def test_a_thread_of_the_database_says_of_which_work_it_is():
    instruments.begin(request_id="r-2")

    assert (await run_db(line))["request_id"] == "r-2"


def test_a_traceback_has_no_values():
    def fail(secret: str) -> None:
        raise ValueError(f"{len(secret)} letters")

    with pytest.raises(ValueError, match="letters") as raised:
        fail("s3cr3t")
    error = raised.value
    told = (type(error), error, error.__traceback__)
    record = logging.makeLogRecord({"msg": "x", "exc_info": told})

    text = JSONFormatter().format(record)

    assert "ValueError: 6 letters" in json.loads(text)["traceback"]
    assert "s3cr3t" not in text.replace('fail(\\"s3cr3t\\")', "")


@pytest.mark.django_db
def test_lines_of_a_request_name_request_principal_and_session():
    said: list[dict[str, Any]] = []
    row = factories.session_in(State.RUNNING, key="desk")
    program = caller()
    handler = logging.Handler()
    handler.emit = lambda record: said.append(json.loads(JSONFormatter().format(record)))  # type: ignore[method-assign]
    logging.getLogger("django.request").addHandler(handler)

    program.post(f"/api/v1/sessions/{row.key}/recover", {"x": 1}, x_request_id="r-7")
    program.post(f"/api/v1/sessions/{row.key}/complete", {"x": 1}, x_request_id="r-8")
    logging.getLogger("django.request").removeHandler(handler)

    found = [one for one in said if one.get("request_id") == "r-8"]
    assert found
    assert found[-1]["session"] == "desk"
    assert found[-1]["principal"].startswith("credential:")


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return spans.recorded(monkeypatch)


def test_a_span_has_the_dotted_names(recorder: Recorder):
    with instruments.span("chat m", gen_ai__request__model="m") as span:
        span.add(gen_ai__usage__input_tokens=3)

    assert recorder.spans == [
        ("chat m", {"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 3})
    ]


@pytest.mark.django_db
def test_a_request_is_a_span_of_the_trace_that_its_client_names(recorder: Recorder):
    row, whole = factories.session(), "0af7651916cd43dd8448eb211c80319c"

    caller().get(f"/api/v1/sessions/{row.pk}", traceparent=f"00-{whole}-b7ad6b7169203331-01")

    route = "api/v1/sessions/<str:session>"
    told = {
        "http.request.method": "GET",
        "http.route": route,
        "http.response.status_code": 200,
    }
    assert recorder.spans == [(f"GET {route}", told)]
    assert recorder.made[0].trace_id == whole


@pytest.mark.django_db
def test_a_foreign_host_is_one_line(settings: Any):
    settings.DEBUG_PROPAGATE_EXCEPTIONS = False
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.addFilter(Brief())
    logging.getLogger("django.security").addHandler(handler)

    answer = caller().get("/admin/login/", host="evil.example")
    logging.getLogger("django.security").removeHandler(handler)

    assert answer.status_code == 400
    assert len(said.getvalue().splitlines()) == 1
    assert "evil.example" in said.getvalue()
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["brief"]


def test_without_the_sdk_there_are_no_spans_and_nothing_fails(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(instruments, "is_tracing", lambda: False)

    with instruments.span("chat m") as span:
        span.add(anything="x")
    instruments.start_tracing()
