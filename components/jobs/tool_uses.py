"""Sending to components held here what they and their tools are asked for."""

from django.utils import timezone

from aegis_project.database import read_db, run_db
from components.core import asks, frames
from components.core.effects import Reply
from components.jobs.links import Links
from components.models import ToolUse
from components.services import tool_uses
from streaming.hints import Hint
from streaming.node import Node


class ToolUses:
    """Send each CALL, and what is asked beside tools, once, by the process that holds the control socket of the component."""

    name = "tool_uses"
    period_seconds = 1.0

    def __init__(self, links: Links) -> None:
        self._links = links

    def wants(self, hint: Hint) -> bool:
        return hint.kind in {"tool", "moved"}

    async def run(self, node: Node) -> None:
        """Take what is to be sent, and send it."""
        held = tuple(self._links.bound)
        if not held or not await read_db(tool_uses.is_asked):
            return
        for use in await run_db(tool_uses.take, component_ids=held):
            link = self._links.bound.get(str(use.component_id))
            if link is not None:
                self._links.act(link, [Reply(_frame(use))])


def _frame(use: ToolUse) -> frames.Frame:
    if use.tool == asks.PING:
        return frames.heartbeat(0, id_=str(use.pk))
    if use.tool == asks.LOG_LEVEL:
        return frames.log_level(id_=str(use.pk), level=use.arguments["level"])
    left = (use.deadline_at - timezone.now()).total_seconds()
    return frames.call(
        id_=str(use.pk),
        tool=use.tool,
        arguments=use.arguments,
        effect_key=use.effect_key,
        timeout_ms=max(0, round(left * 1000)),
    )
