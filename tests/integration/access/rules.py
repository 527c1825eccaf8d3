"""What everybody needs for every verb at every address: the one table that a new one has to be in."""

from dataclasses import dataclass
from typing import Any

from tests.integration.access.world import Actor, World

S = "api/v1/sessions/<str:session>"
A2A = "a2a/<str:agent>"
SAID = {"message": {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "Hello"}]}}
TASK = {"input": {"type": "text/plain", "content": "Hello"}}
FILE = "a file"


@dataclass(frozen=True)
class Rule:
    """
    The scopes that a verb needs, and for whom there is what it is about.

    ``reach``: "team" is who sees the rows of the team, "own" who began it, "all" everybody who
    asks with a name, "public" everybody; by itself, an address without a name in it is for all.
    ``scopes`` are all needed, those beside "|" one of them.
    """

    scopes: str = ""
    body: Any = None
    reach: str = ""

    def permits(self, actor: Actor) -> bool:
        """Whether they have the right, wherever it leads."""
        if actor.is_anonymous:
            return self.reach == "public"
        return all(
            any(actor.principal.allows(one) for one in word.split("|"))
            for word in self.scopes.split()
        )

    def shows(self, actor: Actor, world: World, address: str) -> bool:
        """Whether for them there is what the address names."""
        reach = self.reach or ("team" if "<" in address else "all")
        if reach in {"all", "public"}:
            return True
        if reach == "own":
            return actor.name == "operator"
        if "<str:topic>" in address and actor.name == "narrow":
            return False
        if "<str:agent>" in address and "<str:session>" not in address:
            # An agent is of a team; who is bound to one session of that team knows of it.
            return actor.principal.sees_team(world.team.pk)
        return actor.sees(world)


T = "api/v1/templates"
HTTP: dict[str, Rule] = {
    # The library
    "GET api/v1/search": Rule("messages:read"),
    f"GET {S}/search": Rule("messages:read"),
    "GET api/v1/tags": Rule("sessions:read"),
    "POST api/v1/tags": Rule("sessions:write", {"name": "another"}),
    "GET api/v1/tags/popular": Rule("sessions:read"),
    "GET api/v1/tags/<str:tag>": Rule("sessions:read", reach="own"),
    "PATCH api/v1/tags/<str:tag>": Rule("sessions:write", {"color": "#111111"}, reach="own"),
    "DELETE api/v1/tags/<str:tag>": Rule("sessions:write", reach="own"),
    f"GET {S}/tags": Rule("sessions:read"),
    f"POST {S}/tags": Rule("sessions:write", {"tags": ["work"]}),
    f"GET {S}/tags/suggested": Rule("sessions:read messages:read"),
    f"DELETE {S}/tags/<str:tag>": Rule("sessions:write"),
    f"GET {S}/messages/export": Rule("messages:read"),
    f"GET {S}/messages/<str:message>/context": Rule("messages:read"),
    "GET api/v1/statistics": Rule("sessions:read"),
    "GET api/v1/statistics/export": Rule("sessions:read"),
    "GET api/v1/bookmarks": Rule("sessions:read"),
    "GET api/v1/bookmarks/<str:bookmark>": Rule("sessions:read", reach="own"),
    "PATCH api/v1/bookmarks/<str:bookmark>": Rule("sessions:read", {"name": "other"}, reach="own"),
    "DELETE api/v1/bookmarks/<str:bookmark>": Rule("sessions:read", reach="own"),
    f"GET {S}/bookmarks": Rule("sessions:read"),
    f"POST {S}/bookmarks": Rule("sessions:read events:read", {"seq": 2}),
    f"GET {T}": Rule("templates:read"),
    f"POST {T}": Rule("templates:write", {"slug": "another", "recipe": {}}),
    f"POST {T}/import": Rule("templates:write", {"slug": "another", "recipe": {}}),
    f"POST {T}/from-session": Rule(
        "templates:write sessions:read",
        {"slug": "another", "session": "<session>"},
        reach="team",
    ),
    f"GET {T}/<str:template>": Rule("templates:read"),
    f"PATCH {T}/<str:template>": Rule("templates:write", {"name": "Another"}),
    f"DELETE {T}/<str:template>": Rule("templates:write"),
    f"GET {T}/<str:template>/versions": Rule("templates:read"),
    f"GET {T}/<str:template>/versions/<str:version>": Rule("templates:read"),
    f"GET {T}/<str:template>/diff": Rule("templates:read"),
    f"GET {T}/<str:template>/export": Rule("templates:read"),
    f"POST {T}/<str:template>/activate": Rule("templates:write", {"version": 1}),
    f"POST {T}/<str:template>/apply": Rule("templates:read sessions:write", {}),
    f"POST {T}/<str:template>/test": Rule("templates:read sessions:write sessions:control", {}),
    # Agents and what they need
    "GET api/v1/quotas": Rule("sessions:read"),
    "GET api/v1/budgets": Rule("sessions:read"),
    "POST api/v1/budgets": Rule("users:write", {"team": "default", "max_tokens": 5}),
    "DELETE api/v1/budgets/<str:budget>": Rule("users:write", reach="all"),
    "GET api/v1/agents": Rule("agents:read"),
    "POST api/v1/agents": Rule(
        "agents:write", {"slug": "another", "name": "Another", "model": "scripted:assistant"}
    ),
    "GET api/v1/agents/<str:agent>": Rule("agents:read"),
    "PATCH api/v1/agents/<str:agent>": Rule("agents:write", {"name": "Another"}),
    "DELETE api/v1/agents/<str:agent>": Rule("agents:write"),
    "GET api/v1/agents/<str:agent>/card": Rule(),
    "POST api/v1/agents/<str:agent>/check": Rule("agents:read", {}),
    "GET api/v1/agents/<str:agent>/triggers": Rule("agents:read"),
    "POST api/v1/agents/<str:agent>/triggers": Rule(
        "agents:write", {"schedule": "0 0 1 1 *", "prompt": "Look."}
    ),
    "GET api/v1/triggers": Rule("agents:read"),
    "GET api/v1/triggers/<str:trigger>": Rule("agents:read"),
    "DELETE api/v1/triggers/<str:trigger>": Rule("agents:write"),
    "PATCH api/v1/triggers/<str:trigger>": Rule("agents:write", {"is_active": False}),
    "POST api/v1/triggers/<str:trigger>/test": Rule("agents:read", {}),
    "GET api/v1/providers": Rule("agents:read"),
    "POST api/v1/providers": Rule("providers:write", {"slug": "another"}),
    "GET api/v1/providers/<str:provider>": Rule("agents:read", reach="all"),
    "PATCH api/v1/providers/<str:provider>": Rule("providers:write", {}, reach="all"),
    "DELETE api/v1/providers/<str:provider>": Rule("providers:write", reach="all"),
    "GET api/v1/tools": Rule("agents:read"),
    "GET api/v1/tools/<str:tool>": Rule("agents:read policies:read", reach="all"),
    "GET api/v1/tool-servers": Rule("tool_servers:read"),
    "POST api/v1/tool-servers": Rule(
        "tool_servers:write", {"slug": "another", "url": "https://tools.example/mcp"}
    ),
    "GET api/v1/tool-servers/<str:tool_server>": Rule("tool_servers:read", reach="all"),
    "PATCH api/v1/tool-servers/<str:tool_server>": Rule("tool_servers:write", {}, reach="all"),
    "DELETE api/v1/tool-servers/<str:tool_server>": Rule("tool_servers:write", reach="all"),
    # Sessions and their lever
    "GET api/v1/sessions": Rule("sessions:read"),
    "POST api/v1/sessions": Rule("sessions:write", {"name": "Another"}),
    f"GET {S}": Rule("sessions:read"),
    f"PATCH {S}": Rule("sessions:write", {"name": "Another"}),
    f"DELETE {S}": Rule("sessions:control"),
    f"POST {S}/start": Rule("sessions:control"),
    f"POST {S}/resume": Rule("sessions:control"),
    f"POST {S}/pause": Rule("sessions:control"),
    f"POST {S}/activate": Rule("sessions:control"),
    f"POST {S}/suspend": Rule("sessions:control"),
    f"POST {S}/stop": Rule("sessions:control"),
    f"POST {S}/complete": Rule("sessions:control"),
    f"POST {S}/fail": Rule("sessions:control", {"error": {"code": "NO", "message": "No."}}),
    f"POST {S}/end": Rule("sessions:control"),
    f"POST {S}/restart": Rule("sessions:control"),
    f"POST {S}/assign": Rule("sessions:write", {"owner": "shared"}),
    # Coming back
    f"GET {S}/checkpoints": Rule("sessions:read"),
    f"POST {S}/checkpoints": Rule("sessions:control", {"label": "another"}),
    f"GET {S}/checkpoints/<str:checkpoint>": Rule("sessions:read"),
    f"DELETE {S}/checkpoints/<str:checkpoint>": Rule("sessions:control"),
    f"GET {S}/checkpoints/<str:checkpoint>/diff": Rule("sessions:read"),
    f"POST {S}/recover": Rule("sessions:control", {"checkpoint": "kept"}),
    f"POST {S}/fork": Rule("sessions:control sessions:write", {"checkpoint": "kept"}),
    f"POST {S}/redrive": Rule("sessions:write topics:read"),
    "GET api/v1/health/items": Rule("metrics:read"),
    "POST api/v1/health/snooze": Rule(
        "instance:write", {"item": "profile", "state": "notice", "seconds": 60, "reason": "so"}
    ),
    "POST api/v1/health/wake": Rule("instance:write", {"item": "profile", "state": "notice"}),
    "POST api/v1/purge": Rule("instance:write", {"older_than_days": 90}),
    "POST api/v1/sessions/import": Rule("sessions:write sessions:control", FILE),
    f"GET {S}/capsule": Rule(
        "sessions:read events:read messages:read runs:read approvals:read topics:read"
    ),
    f"GET {S}/review": Rule("events:read"),
    f"GET {S}/compare": Rule("events:read messages:read runs:read"),
    f"GET {S}/reconnect": Rule("sessions:read events:read"),
    f"GET {S}/clock": Rule("sessions:read"),
    f"POST {S}/seek": Rule("sessions:control", {"to": "2024-08-08T23:58:00Z"}),
    f"POST {S}/step": Rule("sessions:control", {"count": 1}),
    f"POST {S}/speed": Rule("sessions:control", {"speed": 10}),
    f"POST {S}/attach": Rule("sessions:control", {"components": [{"name": "another"}]}),
    f"POST {S}/tokens": Rule("sessions:control"),
    f"GET {S}/events": Rule("events:read"),
    # Who takes part, and what they say
    f"GET {S}/components": Rule("components:read"),
    f"GET {S}/components/<str:component>": Rule("components:read"),
    f"POST {S}/components/<str:component>/detach": Rule("sessions:control"),
    f"POST {S}/components/<str:component>/restart": Rule("sessions:control"),
    f"POST {S}/components/<str:component>/ping": Rule("components:read", {"timeout_seconds": 0}),
    f"POST {S}/components/<str:component>/log-level": Rule(
        "sessions:control", {"level": "DEBUG", "timeout_seconds": 0}
    ),
    "GET api/v1/components": Rule("components:read"),
    "GET api/v1/components/<str:component>": Rule("components:read"),
    "POST api/v1/components/<str:component>/log": Rule(
        "launches:write", {"fence": 1, "lines": [{"ts": 1, "stream": "stdout", "line": "x"}]}
    ),
    "GET api/v1/topics": Rule("topics:read"),
    f"GET {S}/topics": Rule("topics:read"),
    f"GET {S}/topics/<str:topic>": Rule("topics:read"),
    f"POST {S}/topics/<str:topic>": Rule("topics:publish", {"records": [{"data": 1}]}),
    f"GET {S}/topics/<str:topic>/subscribers": Rule("topics:read"),
    f"GET {S}/topics/<str:topic>/export": Rule("topics:read"),
    # Conversations
    f"GET {S}/messages": Rule("messages:read"),
    f"POST {S}/messages": Rule("messages:write", {"content": "Hello"}),
    f"GET {S}/messages/<str:message>": Rule("messages:read"),
    f"GET {S}/messages/<str:message>/branches": Rule("messages:read"),
    f"POST {S}/messages/<str:message>/edit": Rule("messages:write", {"content": "Hello"}),
    f"POST {S}/messages/<str:message>/choose": Rule("messages:write"),
    f"GET {S}/attachments": Rule("messages:read"),
    f"POST {S}/attachments": Rule("messages:write", FILE),
    f"GET {S}/attachments/<str:attachment>": Rule("messages:read"),
    f"DELETE {S}/attachments/<str:attachment>": Rule("messages:write"),
    f"GET {S}/attachments/<str:attachment>/content": Rule("messages:read"),
    f"GET {S}/attachments/<str:attachment>/analysis": Rule("messages:read"),
    f"POST {S}/attachments/<str:attachment>/link": Rule("messages:read", {"expires_in": 60}),
    f"DELETE {S}/attachments/<str:attachment>/link": Rule("messages:write"),
    f"POST {S}/uploads": Rule("messages:write", {"name": "a", "size": 1}),
    f"GET {S}/uploads/<str:upload>": Rule("messages:read"),
    f"PUT {S}/uploads/<str:upload>": Rule("messages:write"),
    f"DELETE {S}/uploads/<str:upload>": Rule("messages:write"),
    f"POST {S}/uploads/<str:upload>/finish": Rule("messages:write", {"sha256": "0" * 64}),
    "GET api/v1/files/<str:link>": Rule(reach="public"),
    f"GET {S}/artifacts": Rule("messages:read"),
    f"GET {S}/sandbox": Rule("messages:read"),
    f"GET {S}/sandbox/content": Rule("messages:read"),
    f"POST {S}/artifacts": Rule("messages:write", FILE),
    f"POST {S}/artifacts/generate": Rule(
        "messages:write", {"name": "a", "type": "data", "format": "csv", "rows": [{"a": 1}]}
    ),
    f"GET {S}/artifacts/<str:artifact>": Rule("messages:read"),
    f"DELETE {S}/artifacts/<str:artifact>": Rule("messages:write"),
    f"GET {S}/artifacts/<str:artifact>/content": Rule("messages:read"),
    f"GET {S}/artifacts/<str:artifact>/analysis": Rule("messages:read"),
    f"POST {S}/artifacts/<str:artifact>/link": Rule("messages:read", {"expires_in": 60}),
    f"DELETE {S}/artifacts/<str:artifact>/link": Rule("messages:write"),
    f"GET {S}/artifacts/<str:artifact>/versions": Rule("messages:read"),
    f"POST {S}/chat": Rule("runs:read messages:write runs:write", {"content": "Hello"}),
    f"POST {S}/chat/stream": Rule("runs:read messages:write runs:write", {"content": "Hello"}),
    f"POST {S}/stream": Rule("runs:read messages:write runs:write", {"content": "Hello"}),
    # Runs and tool calls
    "GET api/v1/runs": Rule("runs:read"),
    "GET api/v1/runs/<str:run>": Rule("runs:read"),
    "GET api/v1/runs/<str:run>/stream": Rule("runs:read"),
    "POST api/v1/runs/<str:run>/cancel": Rule("runs:write", {"reason": "No."}),
    "POST api/v1/runs/<str:run>/limits": Rule("runs:write", {"max_tokens": 1000}),
    f"GET {S}/runs": Rule("runs:read"),
    f"POST {S}/runs": Rule("runs:write", {"agent": "assistant"}),
    "GET api/v1/tool-calls/<str:tool_call>": Rule("runs:read"),
    "POST api/v1/tool-calls/<str:tool_call>/resolve": Rule(
        "approvals:decide", {"outcome": "completed", "result": {}}
    ),
    f"GET {S}/tool-calls": Rule("runs:read"),
    f"GET {S}/tool-calls/<str:tool_call>": Rule("runs:read"),
    f"POST {S}/tool-calls/<str:tool_call>": Rule("approvals:decide", {"action": "reject"}),
    # What waits for people
    "GET api/v1/approvals": Rule("approvals:read|approvals:decide"),
    "POST api/v1/approvals/batch": Rule(
        "approvals:decide", {"decisions": [{"approval": "<approval>", "approved": False}]}
    ),
    "GET api/v1/approvals/<str:approval>": Rule("approvals:read|approvals:decide"),
    "POST api/v1/approvals/<str:approval>/decide": Rule("approvals:decide", {"approved": False}),
    "POST api/v1/approvals/<str:approval>/claim": Rule("approvals:decide"),
    f"GET {S}/approvals": Rule("approvals:read|approvals:decide"),
    f"DELETE {S}/approvals": Rule("approvals:decide"),
    f"GET {S}/approvals/<str:approval>": Rule("approvals:read|approvals:decide"),
    f"POST {S}/approvals/<str:approval>": Rule("approvals:decide", {"approved": False}),
    "GET api/v1/policies": Rule("policies:read"),
    "POST api/v1/policies": Rule(
        "policies:write", {"slug": "another", "rules": [], "team": "elsewhere"}
    ),
    "POST api/v1/policies/try": Rule("policies:read", {"tool": "a", "arguments": {}}),
    "POST api/v1/policies/rehearse": Rule("policies:read runs:read", {}),
    "GET api/v1/policies/<str:policy>": Rule("policies:read"),
    "PATCH api/v1/policies/<str:policy>": Rule("policies:write", {"name": "Another"}),
    "DELETE api/v1/policies/<str:policy>": Rule("policies:write"),
    "GET api/v1/grants": Rule("policies:read"),
    "GET api/v1/grants/<str:grant>": Rule("policies:read"),
    "DELETE api/v1/grants/<str:grant>": Rule("policies:write"),
    # What leaves
    "GET api/v1/webhooks": Rule("webhooks:read"),
    "POST api/v1/webhooks": Rule(
        "webhooks:write", {"url": "https://example.com/aegis", "events": ["run.*"]}
    ),
    "GET api/v1/webhooks/<str:webhook>": Rule("webhooks:read"),
    "PATCH api/v1/webhooks/<str:webhook>": Rule("webhooks:write", {"is_active": True}),
    "DELETE api/v1/webhooks/<str:webhook>": Rule("webhooks:write"),
    "POST api/v1/webhooks/<str:webhook>/rotate": Rule("webhooks:write"),
    "POST api/v1/webhooks/<str:webhook>/test": Rule("webhooks:write"),
    "GET api/v1/webhooks/<str:webhook>/deliveries": Rule("webhooks:read"),
    "POST api/v1/webhooks/<str:webhook>/deliveries/<str:delivery>/redeliver": Rule(
        "webhooks:write"
    ),
    # What runs here, and who comes in
    "GET api/v1/programs": Rule("programs:read"),
    "POST api/v1/programs": Rule("programs:write", {"name": "another", "argv": ["true"]}),
    "GET api/v1/programs/<str:program>": Rule("programs:read"),
    "PATCH api/v1/programs/<str:program>": Rule("programs:read programs:write", {}),
    "DELETE api/v1/programs/<str:program>": Rule("programs:read programs:write"),
    "GET api/v1/credentials": Rule("credentials:read"),
    "POST api/v1/credentials": Rule(
        "credentials:write", {"name": "another", "scopes": ["sessions:read"]}
    ),
    "DELETE api/v1/credentials/<str:credential>": Rule("credentials:write"),
    "POST api/v1/credentials/<str:credential>/rotate": Rule("credentials:write"),
    # Seed 001
    "GET api/v1/agent-sessions": Rule("sessions:read"),
    "POST api/v1/agent-sessions": Rule(
        "sessions:write", {"sessionType": "audit", "sessionId": "another"}
    ),
    "GET api/v1/agent-sessions/stats": Rule("sessions:read"),
    "GET api/v1/agent-sessions/<str:session>": Rule("sessions:read"),
    "PATCH api/v1/agent-sessions/<str:session>": Rule("sessions:control", {"state": "paused"}),
    "DELETE api/v1/agent-sessions/<str:session>": Rule("sessions:control"),
    # Seed 002
    "GET sessions": Rule("sessions:read"),
    "POST sessions": Rule("sessions:write", {"agentId": "assistant"}),
    "GET sessions/<str:session>": Rule("sessions:read"),
    "DELETE sessions/<str:session>": Rule("sessions:control"),
    "POST sessions/<str:session>/tasks": Rule("messages:write runs:write", TASK),
    "GET agents": Rule(reach="public"),
    "GET agents/<str:agent>": Rule(),
    "POST agents/<str:agent>/tasks": Rule("sessions:write messages:write runs:write", TASK),
    "GET agents/<str:agent>/tasks/<str:task>": Rule("runs:read"),
    # A2A; what has a verb of its own in its body is in another table
    "GET .well-known/agent-card.json": Rule(reach="public"),
    f"GET {A2A}/.well-known/agent-card.json": Rule(),
    f"POST {A2A}/message:send": Rule("messages:write runs:write sessions:write", SAID),
    f"POST {A2A}/message:stream": Rule("messages:write runs:write sessions:write", SAID),
    f"GET {A2A}/extendedAgentCard": Rule(),
    f"GET {A2A}/tasks": Rule("runs:read"),
    f"GET {A2A}/tasks/<str:task>": Rule("runs:read", reach="own"),
    f"POST {A2A}/tasks/<str:task>:cancel": Rule("runs:read runs:write", reach="own"),
    f"GET {A2A}/tasks/<str:task>:subscribe": Rule("runs:read", reach="own"),
    f"POST {A2A}/tasks/<str:task>:subscribe": Rule("runs:read", reach="own"),
    f"GET {A2A}/tasks/<str:task>/pushNotificationConfigs": Rule("runs:read", reach="own"),
    f"POST {A2A}/tasks/<str:task>/pushNotificationConfigs": Rule(
        "runs:read webhooks:write", {"url": "https://example.com/push"}, reach="own"
    ),
    f"GET {A2A}/tasks/<str:task>/pushNotificationConfigs/<str:push>": Rule(
        "runs:read", reach="own"
    ),
    f"DELETE {A2A}/tasks/<str:task>/pushNotificationConfigs/<str:push>": Rule(
        "runs:read webhooks:write", reach="own"
    ),
    # What was done
    "GET api/v1/audit": Rule("audit:read"),
    "GET api/v1/audit/<str:entry>": Rule("audit:read"),
    "GET api/v1/audit/verify": Rule("audit:read"),
    "GET api/v1/audit/export": Rule("audit:read"),
    # Operations
    "GET api/schema": Rule(reach="public"),
    "GET api/docs": Rule(reach="public"),
    "GET healthz": Rule(reach="public"),
    "GET readyz": Rule(reach="public"),
    "GET metrics": Rule("metrics:read"),
    "POST healthz": Rule(reach="public"),
    "POST readyz": Rule(reach="public"),
}
# Whose verbs are in their bodies.
ENVELOPES = {"POST aegis/commands", "POST bus/<str:daemon>", f"POST {A2A}"}
# Which lead elsewhere, whoever asks.
REDIRECTS = {""}
