"""The tools that every installation has."""

from collections.abc import Iterator, Mapping
from typing import Any

from sessions.toolbox.builtin import conversation, delegation, files, lever, memory, topics, web
from sessions.toolbox.define import Definition

ALL: tuple[Definition, ...] = (
    *conversation.TOOLS,
    *delegation.TOOLS,
    *files.TOOLS,
    *lever.TOOLS,
    *memory.TOOLS,
    *topics.TOOLS,
    *web.TOOLS,
)


def offered(settings: Mapping[str, Any]) -> Iterator[Definition]:
    """Those that make sense for an agent with these settings."""
    for one in ALL:
        if one is not web.http_get or web.hosts(settings):
            yield one
