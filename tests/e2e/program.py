"""A component in a process of its own, which a test may stop, continue and kill."""

import asyncio
import json
import sys

from components.core.reconnect import Backoff
from components.sdk import Component, Record


async def main(name: str, *topics: str) -> None:
    """Print each record as a line until the session is over."""
    quick = Backoff(base_seconds=0.05, most_seconds=0.2)
    component = Component(name, role="sink", topics=topics, backoff=quick)
    async for batch in component.batches():
        for event in batch.events:
            if type(event) is Record:
                sys.stdout.write(json.dumps([event.topic, event.seq, event.data]) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
