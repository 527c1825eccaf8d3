"""Which hub, engines and jobs the node of a server process is made of."""

import asyncio

from components.jobs import Links, Liveness, Watcher
from sessions.jobs import Sweep
from streaming import node as nodes
from streaming.hub import Hub
from streaming.jobs import LeaseJob, hint_receiver
from streaming.node import Node

_starting = asyncio.Lock()


def build(*, url: str = "") -> Node:
    """A node that is not started yet; ``url`` is how other processes reach it."""
    links = Links()
    jobs = [LeaseJob(), hint_receiver(), links, Watcher(links), Liveness(), Sweep()]
    return Node(hub=Hub(), jobs=jobs, url=url)


async def ensure() -> Node:
    """The running node of this process, started now if it is not."""
    async with _starting:
        node = nodes.current()
        if node is None:
            node = build()
            await node.start()
            nodes.install(node)
        return node


async def end() -> None:
    """Stop the node, if one runs."""
    node = nodes.current()
    if node is not None:
        node.is_draining = True
        await Links.of(node).drain(node)
        await node.stop()
        nodes.install(None)
