"""What an approval rests on, as it is now: known to the server that runs."""

from typing import Any

from aegis_project.kit.errors import AegisError
from sessions.core.freshness import Known
from sessions.management import client
from sessions.models import Approval
from sessions.selectors import situation


def known(row: Approval) -> Known | None:
    """What is known now of its topics, from the server that runs; None without one."""
    names = situation.topics_of(row)
    if not names:
        return {}
    try:
        server = client.running()
        return {name: found for name in names if (found := _newest(server, row, name))}
    except AegisError:
        return None


def _newest(server: client.Client, row: Approval, topic: str) -> dict[str, Any] | None:
    query = {"start": "latest-1", "limit": 1}
    try:
        answer = server.get("sessions", str(row.session_id), "topics", topic, **query)
    except client.Answered:
        return None
    last = answer["data"][-1:]
    return {"value": last[0]["data"], "ts": last[0]["ts"], "seq": last[0]["seq"]} if last else None
