"""What everybody needs for every verb of the command line: its arguments, and the right."""

from typing import Any

from tests.integration.access.rules import Rule

ONE = {"session": "<session>"}
PART = {**ONE, "component": "<component>"}
AGENT, RUN = {"agent": "<agent>"}, {"run": "<run>"}
APPROVAL, POLICY = {"approval": "<approval>"}, {"policy": "<policy>"}
FILE = {**ONE, "name": "<artifact>"}
TEMPLATE, TRIGGER = {"template": "<template>"}, {"trigger": "<trigger>"}
PROVIDER, SERVER = {"provider": "<provider>"}, {"server": "<tool_server>"}
WEBHOOK, CREDENTIAL = {"webhook": "<webhook>"}, {"credential": "<credential>"}
KEPT = {**ONE, "checkpoint": "kept"}
MESSAGE = {**ONE, "message": "<message>"}
BOOKMARK = {"bookmark": "<bookmark>"}
NEW = "another"
EXPORTED = '{"format": "aegis.template/1", "slug": "another", "recipe": {}}'
WANTED = '{"type": "code", "language": "python", "code": "a = 1"}'

LEVER: dict[str, dict[str, Any]] = {
    "start": {},
    "pause": {},
    "stop": {},
    "complete": {},
    "fail": {"error": '{"code": "NO"}'},
    "end": {},
    "delete": {},
    "resume": {},
    "restart": {},
    "seek": {"to": "2024-08-08T23:58:00Z"},
    "step": {},
    "speed": {"times": 10.0},
    "recover": {"checkpoint": "kept"},
}

# Told by a server, which knows who asks by its own credential, or of whoever has this machine.
NOBODY_NAMED = {
    *("topic.list", "topic.info", "topic.tail", "topic.publish", "topic.export"),
    *("topic.rate", "topic.lag", "component.run", "load-test"),
    *("demo.status", "demo.reset", "run", "serve", "worker", "launcher", "doctor"),
    *("restore", "schema", "completion"),
}
COMMANDS: dict[str, Rule] = {
    "session.create": Rule("sessions:write", {"name": "Another"}),
    "session.list": Rule("sessions:read"),
    "session.state": Rule("sessions:read", ONE),
    "session.show": Rule("sessions:read", ONE),
    "session.watch": Rule("events:read", {**ONE, "follow": False}),
    "session.attach": Rule("sessions:control", {**ONE, "names": NEW}),
    **{
        f"session.{word}": Rule("sessions:control", {**ONE, **more}) for word, more in LEVER.items()
    },
    "session.clock": Rule("sessions:read", ONE),
    "session.diff": Rule("events:read messages:read runs:read", {**ONE, "other": "<session>"}),
    "session.tag": Rule("sessions:write", {**ONE, "tag": "work"}),
    "session.untag": Rule("sessions:write", {**ONE, "tag": "kept"}),
    "session.fork": Rule("sessions:control sessions:write", KEPT),
    "session.redrive": Rule("sessions:write topics:read", ONE),
    "session.export": Rule(
        "sessions:read events:read messages:read runs:read approvals:read topics:read",
        {**ONE, "file": "<new>"},
    ),
    "session.import": Rule("sessions:write sessions:control", {"file": "<empty>"}, reach="all"),
    "component.list": Rule("components:read"),
    "component.show": Rule("components:read", PART),
    "component.ping": Rule("components:read", {**PART, "timeout": 0.0}),
    "component.detach": Rule("sessions:control", PART),
    "component.restart": Rule("sessions:control", PART),
    "event.tail": Rule("events:read", {**ONE, "follow": False}),
    "credential.issue": Rule("credentials:write", {"name": NEW, "scope": "sessions:read"}),
    "credential.list": Rule("credentials:read"),
    "credential.rotate": Rule("credentials:write", CREDENTIAL),
    "credential.revoke": Rule("credentials:write", CREDENTIAL),
    "message.list": Rule("messages:read", ONE),
    "message.say": Rule("messages:write", {**ONE, "text": "Hello", "answer": False}),
    "message.edit": Rule("messages:write", {**MESSAGE, "text": "Hello"}),
    "message.choose": Rule("messages:write", MESSAGE),
    "message.export": Rule("messages:read", {**ONE, "file": "<new>"}),
    "artifact.list": Rule("messages:read", ONE),
    "artifact.write": Rule("messages:write", {**ONE, "file": "<empty>"}),
    "artifact.generate": Rule("messages:write", {**ONE, "name": NEW, "said": "<wanted>"}),
    "artifact.read": Rule("messages:read", {**FILE, "file": "<new>"}),
    "artifact.analyze": Rule("messages:read", FILE),
    "artifact.link": Rule("messages:read", FILE),
    "artifact.remove": Rule("messages:read messages:write", FILE),
    "agent.list": Rule("agents:read"),
    "agent.show": Rule("agents:read", AGENT),
    "agent.create": Rule("agents:write", {"agent": NEW, "model": "scripted:assistant"}),
    "agent.update": Rule("agents:write", {**AGENT, "name": "Another"}),
    "agent.remove": Rule("agents:write", AGENT),
    "runs.list": Rule("runs:read"),
    "runs.show": Rule("runs:read", RUN),
    "runs.start": Rule("runs:write", {**ONE, "agent": "assistant"}),
    "runs.cancel": Rule("runs:write", RUN),
    "runs.limits": Rule("runs:write", {**RUN, "max_tokens": 1000}),
    "approval.list": Rule("approvals:read|approvals:decide"),
    "approval.watch": Rule("approvals:read|approvals:decide", {"follow": False}),
    "approval.show": Rule("approvals:read|approvals:decide", APPROVAL),
    "approval.approve": Rule("approvals:decide", APPROVAL),
    "approval.reject": Rule("approvals:decide", APPROVAL),
    "approval.claim": Rule("approvals:decide", APPROVAL),
    "approval.hand-over": Rule("approvals:decide", {**APPROVAL, "to": "role:approver"}),
    "checkpoint.create": Rule("sessions:control", {**ONE, "label": NEW}),
    "checkpoint.list": Rule("sessions:read", ONE),
    "checkpoint.show": Rule("sessions:read", KEPT),
    "checkpoint.diff": Rule("sessions:read", KEPT),
    "checkpoint.remove": Rule("sessions:control", KEPT),
    "policy.list": Rule("policies:read"),
    "policy.show": Rule("policies:read", POLICY),
    "policy.test": Rule("policies:read", {"tool": "a"}),
    "policy.grants": Rule("policies:read"),
    "policy.revoke": Rule("policies:write", {"grant": "<grant>"}),
    "policy.rehearse": Rule("policies:read runs:read"),
    "provider.list": Rule("agents:read", reach="all"),
    "provider.show": Rule("agents:read", PROVIDER, reach="all"),
    "provider.create": Rule("providers:write", {"provider": NEW}),
    "provider.update": Rule("providers:write", PROVIDER, reach="all"),
    "provider.remove": Rule("providers:write", PROVIDER, reach="all"),
    "tool-server.list": Rule("tool_servers:read", reach="all"),
    "tool-server.show": Rule("tool_servers:read", SERVER, reach="all"),
    "tool-server.create": Rule(
        "tool_servers:write", {"server": NEW, "url": "https://tools.example/mcp"}
    ),
    "tool-server.update": Rule("tool_servers:write", SERVER, reach="all"),
    "tool-server.remove": Rule("tool_servers:write", SERVER, reach="all"),
    "quota.list": Rule("sessions:read"),
    "budget.list": Rule("sessions:read"),
    "budget.set": Rule("users:write", {"team": "default", "tokens": 5}),
    "budget.remove": Rule("users:write", {"budget": "<budget>"}, reach="all"),
    "role.give": Rule("users:write", {"user": "the-viewer", "role": "operator"}),
    "role.take": Rule("users:write", {"user": "the-viewer", "role": "viewer"}),
    "role.list": Rule("users:write"),
    "bookmark.list": Rule("sessions:read"),
    "bookmark.create": Rule("sessions:read events:read", {**ONE, "seq": 2}),
    "bookmark.change": Rule("sessions:read", {**BOOKMARK, "name": "Other"}, reach="own"),
    "bookmark.remove": Rule("sessions:read", BOOKMARK, reach="own"),
    "tag.list": Rule("sessions:read"),
    "tag.create": Rule("sessions:write", {"tag": NEW}),
    "tag.change": Rule("sessions:write", {"tag": "kept", "color": "#111111"}, reach="own"),
    "tag.remove": Rule("sessions:write", {"tag": "kept"}, reach="own"),
    "tag.suggest": Rule("sessions:read messages:read", ONE),
    "template.list": Rule("templates:read"),
    "template.show": Rule("templates:read", TEMPLATE),
    "template.versions": Rule("templates:read", TEMPLATE),
    "template.create": Rule("templates:write", {"template": NEW, "recipe": "{}"}),
    "template.from-session": Rule("templates:write sessions:read", {"template": NEW, **ONE}),
    "template.change": Rule("templates:write", {**TEMPLATE, "name": "Another"}),
    "template.activate": Rule("templates:write", {**TEMPLATE, "number": 1}),
    "template.test": Rule("templates:read sessions:write sessions:control", TEMPLATE),
    "template.diff": Rule("templates:read", {**TEMPLATE, "before": 1}),
    "template.remove": Rule("templates:write", TEMPLATE),
    "template.export": Rule("templates:read", TEMPLATE),
    "template.import": Rule("templates:write", {"document": EXPORTED}),
    "trigger.list": Rule("agents:read"),
    "trigger.show": Rule("agents:read", TRIGGER),
    "trigger.create": Rule("agents:write", {**AGENT, "schedule": "0 0 1 1 *", "prompt": "Look."}),
    "trigger.update": Rule("agents:write", {**TRIGGER, "is_active": False}),
    "trigger.test": Rule("agents:read", TRIGGER),
    "trigger.remove": Rule("agents:write", TRIGGER),
    "webhook.list": Rule("webhooks:read"),
    "webhook.show": Rule("webhooks:read", WEBHOOK),
    "webhook.create": Rule(
        "webhooks:write", {"url": "https://example.com/aegis", "event": ["run.*"]}
    ),
    "webhook.update": Rule("webhooks:write", {**WEBHOOK, "active": False}),
    "webhook.rotate": Rule("webhooks:write", WEBHOOK),
    "webhook.test": Rule("webhooks:write", WEBHOOK),
    "webhook.remove": Rule("webhooks:write", WEBHOOK),
    "webhook.deliveries": Rule("webhooks:read", WEBHOOK),
    "webhook.redeliver": Rule("webhooks:write", {**WEBHOOK, "delivery": "<delivery>"}),
    "secrets.reseal": Rule("users:write"),
    "audit.tail": Rule("audit:read", {"follow": False}),
    "audit.list": Rule("audit:read"),
    "audit.show": Rule("audit:read", {"entry": "<entry>"}),
    "audit.export": Rule("audit:read"),
    "audit.verify": Rule("audit:read"),
    "command": Rule("sessions:read", {"name": "SESSION_LIST"}),
    "search": Rule("messages:read", {"text": "hello"}),
    "statistics": Rule("sessions:read"),
    "backup": Rule("instance:write", {"file": "<new>"}),
    "purge": Rule("instance:write", {"older_than_days": 90.0}),
}
