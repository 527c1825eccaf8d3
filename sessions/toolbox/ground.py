"""What the built-in tools stand on: for whom they act, once, in which session."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import orjson

from aegis_project.database import read_db, run_db
from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from sessions.agent.tools import Call
from sessions.models import Agent, Run
from streaming.services import idempotency
from streaming.services.idempotency import Answer

T = TypeVar("T")

# What an agent may do in its own session, and only there; which tools it has is another matter.
SCOPES = frozenset(
    {
        "sessions:read",
        "sessions:write",
        "sessions:control",
        "components:read",
        "messages:read",
        "messages:write",
        "topics:read",
        "topics:publish",
        "events:read",
    }
)


@dataclass(frozen=True, slots=True)
class Ground:
    """One call of a built-in tool; ``settings`` are those of its agent."""

    call: Call
    principal: Principal
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def session_id(self) -> UUID:
        """The session that the run is in."""
        return UUID(self.call.session_id)

    async def read(self, ask: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """What a selector finds."""
        return await read_db(ask, *args, **kwargs)

    async def once(self, act: Callable[[], Any]) -> Any:
        """
        What a service does, in one transaction with its being noted under the effect key.

        Carried out again, it only says what it said the first time.

        :raises AegisError: as ``act`` does; a refusal leaves its audit entry and no note
        """
        return await run_db(self._once, act)

    def _once(self, act: Callable[[], Any]) -> Any:
        refusals: list[AegisError] = []

        def answer() -> Answer:
            try:
                return Answer(200, act(), {})
            except AegisError as error:
                refusals.append(error)
                return Answer(503, None, {})

        arguments = orjson.dumps(self.call.arguments, option=orjson.OPT_SORT_KEYS)
        digest = idempotency.digest_of(self.call.tool_call_id.encode(), arguments)
        found, _ = idempotency.once(principal=self.principal, digest=digest, act=answer)
        for refusal in refusals:
            raise refusal
        return found.data


def acting(run: Run, agent: Agent, call: Call) -> Principal:
    """The agent as whoever asks for what its tools do: in the session of its run and no other."""
    return Principal(
        kind="agent",
        id=f"agent:{agent.slug}",
        label=agent.slug,
        scopes=SCOPES,
        teams=frozenset({run.session.team_id}),
        session_id=str(run.session_id),
        patterns=_topics(agent.settings.get("topics")),
        transport="tool",
        request_id=call.tool_call_id,
        idempotency_key=call.effect_key,
    )


def _topics(value: Any) -> tuple[str, ...]:
    """The topics that an agent may read and publish; all of its session unless some are named."""
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
