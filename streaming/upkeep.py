"""The periodic work on topics: their rules."""

from streaming.hints import Hint
from streaming.node import Node


class RulesJob:
    """Read the topic rules of sessions again when they were changed."""

    name = "rules"
    period_seconds = 1.0

    async def run(self, node: Node) -> None:
        """Read those in doubt."""
        await node.hub.rules.renew()

    def wants(self, hint: Hint) -> bool:
        return hint.kind == "lever"
