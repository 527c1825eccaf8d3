"""The tool that fetches from elsewhere, as far as it is let."""

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from django.conf import settings as django_settings
from pydantic import Field

from aegis_project import outward
from aegis_project.kit.entries import listed
from sessions.core.tool_calls import Risk
from sessions.toolbox.define import tool
from sessions.toolbox.ground import Ground

MOST_BYTES = 1024 * 1024
SECONDS = 20.0
REDIRECTS = 3


def hosts(settings: Mapping[str, Any]) -> list[str]:
    """Where an agent may fetch from: what the installation allows, and what its settings name."""
    own = settings.get("http_hosts")
    mine = [one for one in own if isinstance(one, str)] if isinstance(own, list) else []
    return [*listed(django_settings.ENVIRONMENT.outward_hosts), *mine]


@tool(risk=Risk.MEDIUM, is_idempotent=True, source="builtin", timeout_seconds=SECONDS + 5)
async def http_get(
    ground: Ground,
    url: Annotated[str, Field(min_length=1, max_length=2000, description="http or https.")],
) -> Any:
    """Fetch a page or a document from one of the hosts that this agent may reach."""
    bounds = outward.allowed(
        hosts=hosts(ground.settings),
        max_bytes=MOST_BYTES,
        total_seconds=SECONDS,
        redirects=REDIRECTS,
    )
    answer = await outward.request("GET", url, bounds=bounds)
    kind = answer.headers.get("content-type", "")
    return {
        "status": answer.status,
        "url": answer.url,
        "content_type": kind,
        "body": _body(kind, answer.body),
    }


def _body(kind: str, body: bytes) -> Any:
    if kind.partition(";")[0].strip().endswith("json"):
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass
    return body.decode(errors="replace")


TOOLS = (http_get,)
