"""A client of A2A that says the same by either binding."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from tests.calling import Caller

PATHS = {
    "SendMessage": ("POST", "/message:send"),
    "SendStreamingMessage": ("POST", "/message:stream"),
    "GetTask": ("GET", "/tasks/{id}"),
    "ListTasks": ("GET", "/tasks"),
    "CancelTask": ("POST", "/tasks/{id}:cancel"),
    "SubscribeToTask": ("POST", "/tasks/{id}:subscribe"),
    "CreateTaskPushNotificationConfig": ("POST", "/tasks/{taskId}/pushNotificationConfigs"),
    "ListTaskPushNotificationConfigs": ("GET", "/tasks/{taskId}/pushNotificationConfigs"),
    "GetTaskPushNotificationConfig": ("GET", "/tasks/{taskId}/pushNotificationConfigs/{id}"),
    "DeleteTaskPushNotificationConfig": ("DELETE", "/tasks/{taskId}/pushNotificationConfigs/{id}"),
    "GetExtendedAgentCard": ("GET", "/extendedAgentCard"),
}
CODES = {
    "TASK_NOT_FOUND": -32001,
    "TASK_NOT_CANCELABLE": -32002,
    "PUSH_NOTIFICATION_NOT_SUPPORTED": -32003,
    "UNSUPPORTED_OPERATION": -32004,
    "CONTENT_TYPE_NOT_SUPPORTED": -32005,
    "EXTENSION_SUPPORT_REQUIRED": -32008,
    "VERSION_NOT_SUPPORTED": -32009,
    "INVALID_PARAMS": -32602,
    "INVALID_REQUEST": -32600,
    "METHOD_NOT_FOUND": -32601,
}
BINDINGS = ["JSONRPC", "HTTP+JSON"]


class Client:
    """What one program asks of an agent."""

    def __init__(self, caller: Caller, binding: str, *, agent: str = "scribe") -> None:
        self.caller, self.binding, self.agent = caller, binding, agent
        self.headers: dict[str, str] = {"a2a_version": "1.0"}

    def ask(self, name: str, **params: Any) -> Any:
        """The whole answer of HTTP."""
        base = f"/a2a/{self.agent}"
        if self.binding == "JSONRPC":
            body = {"jsonrpc": "2.0", "id": 7, "method": name, "params": params}
            return self.caller.post(base, body, **self.headers)
        method, path = PATHS[name]
        address = base + path.format(**params)
        if method == "POST":
            return self.caller.post(
                address, params, content_type="application/a2a+json", **self.headers
            )
        rest = {key: value for key, value in params.items() if f"{{{key}}}" not in path}
        return self.caller.send(method, f"{address}?{_query(rest)}", **self.headers)

    def get(self, name: str, **params: Any) -> Any:
        """What is answered."""
        answer = self.ask(name, **params)
        assert answer.status_code == 200, answer.content
        body = answer.json()
        if self.binding == "JSONRPC":
            assert (body["jsonrpc"], body["id"], set(body)) == (
                "2.0",
                7,
                {"jsonrpc", "id", "result"},
            )
            return body["result"]
        return body

    def refused(self, name: str, **params: Any) -> str:
        """The reason of a refusal, which is said as the binding says it."""
        answer = self.ask(name, **params)
        error = answer.json()["error"]
        details = error["data" if self.binding == "JSONRPC" else "details"]
        reason: str = details[0]["reason"]
        if details[0]["domain"] != "a2a-protocol.org":
            assert answer.status_code >= 400
        elif self.binding == "JSONRPC":
            assert (answer.status_code, error["code"]) == (200, CODES[reason])
        else:
            assert error["code"] == answer.status_code
            assert answer.status_code == (404 if reason.endswith("NOT_FOUND") else 400)
        return reason

    def send(self, *parts: Any, configuration: Any = None, **message: Any) -> Any:
        """The task of a message."""
        params = {"message": said(*parts, **message)}
        if configuration is not None:
            params["configuration"] = configuration
        return self.get("SendMessage", **params)["task"]


def said(*parts: Any, **message: Any) -> dict[str, Any]:
    """A message to an agent; a text is a part of it."""
    given = [{"text": one} if isinstance(one, str) else one for one in parts]
    return {"messageId": "m-1", "role": "ROLE_USER", "parts": given, **message}


def _query(params: Mapping[str, Any]) -> str:
    words = {True: "true", False: "false"}
    return urlencode(
        {key: words.get(one, one) if isinstance(one, bool) else one for key, one in params.items()}
    )
