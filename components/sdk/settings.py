"""What a component is told from outside and what it asks for."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from aegis_project.kit.errors import NotAuthenticated, ValidationFailed
from components.core.heartbeat import BEATS, Beats
from components.core.messages import Proto
from components.core.reconnect import BACKOFF, Backoff

CONTROL_PATH = "/ws/control"
PROTO = Proto(batch=True)
SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}

Frame = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    One component's settings; :func:`read` fills in what the environment says.

    ``answer_seconds`` bounds the wait for an answer, ``inbox_batches`` what was received and not
    processed; ``commits`` says that what was processed is committed about once a second.
    """

    url: str
    token: str
    component_id: str = ""
    name: str = ""
    role: str = ""
    version: str = ""
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    proto: Proto = PROTO
    is_staying: bool = False
    commits: bool = True
    answer_seconds: float = 30.0
    inbox_batches: int = 64
    beats: Beats = BEATS
    backoff: Backoff = BACKOFF

    @property
    def control_url(self) -> str:
        """The address of the control socket; ``url`` is the server's or already this one."""
        parts = urlsplit(self.url)
        path = parts.path.rstrip("/")
        if not path.endswith(CONTROL_PATH):
            path += CONTROL_PATH
        return urlunsplit((SCHEMES[parts.scheme], parts.netloc, path, "", ""))

    def data_url(self, data_socket: str) -> str:
        """The address of the data socket, as the server named it beside the control socket."""
        return urljoin(self.control_url, data_socket)

    def register(self, component_id: str, topics: list[str], tools: Sequence[Frame] = ()) -> Frame:
        """The first frame of the control socket; who offers tools is one unless it says else."""
        offered = {"tools": list(tools)} if tools else {}
        frame = {
            "session_token": self.token,
            "topics": topics,
            "name": self.name,
            "component_id": component_id,
            "role": self.role or ("tool" if tools else ""),
            "version": self.version,
            "capabilities": {**self.capabilities, **offered},
        }
        asked = {name: value for name, value in frame.items() if value or name == "topics"}
        return {**asked, "proto": self.proto.as_dict()}


def read(*, url: str | None, token: str | None, component_id: str | None, **given: Any) -> Settings:
    """
    Settings from arguments, then from the environment.

    :raises NotAuthenticated: without a session token in either
    :raises ValidationFailed: for an address that is none
    """
    url = url or os.environ.get("AEGIS_URL") or "http://127.0.0.1:8000"
    token = token or os.environ.get("AEGIS_SESSION_TOKEN")
    if not token:
        raise NotAuthenticated("There is no session token: set AEGIS_SESSION_TOKEN.")
    if urlsplit(url).scheme not in SCHEMES or not urlsplit(url).netloc:
        raise ValidationFailed("The address must be like https://host:port.", url=url)
    component_id = component_id or os.environ.get("AEGIS_COMPONENT_ID") or ""
    return Settings(url=url, token=token, component_id=component_id, **given)
