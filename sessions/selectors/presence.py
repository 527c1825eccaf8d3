"""Who takes part in a session: its agents, and whoever said something in it."""

from collections.abc import Iterable

from components.models import Component
from sessions.models import Message, Run, Session

AGENT = "agent"


def actors(session: Session) -> list[str]:
    """
    Those who take part, as actors: the session's agent, who spoke, who works, who is connected.

    Each once; three queries, however long the conversation is.
    """
    bound = [f"{AGENT}:{session.agent}"] if session.agent else []
    said = Message.objects.filter(session=session).exclude(author="")
    worked = Run.objects.filter(session=session)
    parts = Component.objects.filter(session=session, role=AGENT)
    found = [
        *bound,
        *said.order_by("author").values_list("author", flat=True).distinct(),
        *_agents(worked.order_by("agent_slug").values_list("agent_slug", flat=True).distinct()),
        *_agents(parts.order_by("created_at").values_list("name", flat=True)),
    ]
    return list(dict.fromkeys(found))


def _agents(names: Iterable[str]) -> list[str]:
    return [f"{AGENT}:{name}" for name in names]
