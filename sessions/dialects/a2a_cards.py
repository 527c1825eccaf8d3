"""Agents as the cards of A2A."""

import hashlib
from typing import Any

import orjson

from sessions.models import Agent
from sessions.models.agent import Visibility

VERSION = "1.0"
BINDINGS = ("JSONRPC", "HTTP+JSON")
PUBLIC_SECONDS, OTHERS_SECONDS = 300, 60
EXTENSIONS = "extensions"
"""The member of an agent's settings that lists the extensions it speaks."""
MESSAGES = "messages"
"""The member that says to which messages it answers with one: all, or by beginnings of ids."""
ALWAYS = "application/json"
"""What decisions are sent as; other data is told to the agent as JSON."""


def card(agent: Agent, *, base: str) -> dict[str, Any]:
    """An agent's card; ``base`` is the address of this server, with a slash at its end."""
    address = f"{base}a2a/{agent.slug}"
    modes = agent.input_modes or ["text/plain"]
    name = agent.name or agent.slug
    return {
        "name": name,
        "description": agent.description or name,
        "version": str(agent.version),
        "supportedInterfaces": [
            {"url": address, "protocolBinding": binding, "protocolVersion": VERSION}
            for binding in BINDINGS
        ],
        "capabilities": {
            "streaming": True,
            "pushNotifications": True,
            "extendedAgentCard": True,
            "extensions": extensions(agent),
        },
        "securitySchemes": {
            "bearer": {
                "httpAuthSecurityScheme": {
                    "scheme": "Bearer",
                    "description": "A credential of Aegis: aeg_…",
                }
            }
        },
        "securityRequirements": [{"schemes": {"bearer": {}}}],
        "defaultInputModes": [*modes, *({ALWAYS} - set(modes))],
        "defaultOutputModes": agent.output_modes or ["text/plain"],
        "skills": [_skill(one, agent) for one in agent.skills] or [_skill({}, agent)],
    }


def extended(agent: Agent, *, base: str) -> dict[str, Any]:
    """What those who are signed in learn beside: the tools that it may use."""
    found = card(agent, base=base)
    tools = [
        {"id": f"tool:{one}", "name": one, "description": f"Uses {one}.", "tags": ["tool"]}
        for one in agent.tools
    ]
    return {**found, "skills": [*found["skills"], *tools]}


def extensions(agent: Agent) -> list[dict[str, Any]]:
    """The extensions that an agent speaks, with those that its clients have to."""
    found = agent.settings.get(EXTENSIONS, [])
    return [
        {
            "uri": one["uri"],
            "description": str(one.get("description", "")),
            "required": one.get("required") is True,
        }
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and isinstance(one.get("uri"), str)
    ]


def required(agent: Agent) -> set[str]:
    """The extensions without which nobody can speak with an agent."""
    return {one["uri"] for one in extensions(agent) if one["required"]}


def answers_by_message(agent: Agent, message_id: str) -> bool:
    """Whether an agent answers a message with a message, and not with a task."""
    told = agent.settings.get(MESSAGES)
    if isinstance(told, list):
        return any(isinstance(one, str) and message_id.startswith(one) for one in told)
    return told is True


def caching(agent: Agent, told: dict[str, Any]) -> dict[str, str]:
    """How long a card may be kept, by whom, and what tells it from another."""
    is_public = agent.visibility == Visibility.PUBLIC
    keeper = (
        f"public, max-age={PUBLIC_SECONDS}" if is_public else f"private, max-age={OTHERS_SECONDS}"
    )
    digest = hashlib.sha256(orjson.dumps(told)).hexdigest()[:32]
    return {
        "Cache-Control": keeper,
        "ETag": f'"{digest}"',
        "Vary": "Authorization, Cookie, Host",
    }


def _skill(given: dict[str, Any], agent: Agent) -> dict[str, Any]:
    name = str(given.get("name") or agent.name or agent.slug)
    found = {
        "id": str(given.get("id") or agent.slug),
        "name": name,
        "description": str(given.get("description") or agent.description or name),
        "tags": [str(one) for one in given.get("tags") or ["agent"]],
    }
    examples = given.get("examples")
    return {**found, "examples": [str(one) for one in examples]} if examples else found
