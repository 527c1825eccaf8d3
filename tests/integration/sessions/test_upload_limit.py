from typing import Any

import pytest

from aegis_project import rest
from aegis_project.guard import BodyLimit

FILES = "/api/v1/sessions/k/attachments"


async def sent(path: str, body: bytes, *, is_declared: bool) -> tuple[list[int], bytes]:
    """The statuses that went out, and what of the body came in."""
    parts = [body[first : first + 4] for first in range(0, len(body), 4)]
    statuses: list[int] = []
    taken = b""

    async def receive() -> Any:
        more = len(parts) > 1
        return {"type": "http.request", "body": parts.pop(0), "more_body": more}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def application(_scope: Any, receive: Any, send: Any) -> None:
        nonlocal taken
        while (message := await receive())["type"] == "http.request":
            taken += message["body"]
            if not message["more_body"]:
                await send({"type": "http.response.start", "status": 200})
                return

    limit = BodyLimit(application, max_bytes=8, uploads=rest.UPLOADS, max_upload_bytes=16)
    headers = [(b"content-length", str(len(body)).encode())] if is_declared else []
    await limit({"type": "http", "path": path, "headers": headers}, receive, send)
    return statuses, taken


@pytest.mark.parametrize("is_declared", [True, False])
@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/api/v1/sessions", 8, 200),
        ("/api/v1/sessions", 9, 413),
        (FILES, 16, 200),
        (f"{FILES}/", 16, 200),
        (FILES, 17, 413),
        ("/api/v1/sessions/import", 16, 200),
        ("/api/v1/sessions/import/more", 9, 413),
        ("/admin/aegis_sessions/session/import/", 16, 200),
        ("/admin/aegis_sessions/session/import/more/", 9, 413),
        (f"{FILES}/one", 9, 413),
        (f"/elsewhere{FILES}", 9, 413),
    ],
)
async def test_only_where_files_are_brought_a_body_may_be_large(
    path: str, size: int, status: int, is_declared: bool
):
    statuses, taken = await sent(path, b"x" * size, is_declared=is_declared)

    assert statuses == [status]
    assert (len(taken) == size) == (status == 200)
