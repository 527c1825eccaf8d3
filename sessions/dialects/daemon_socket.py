"""Seed 000 over a socket: envelopes in, envelopes out."""

from typing import Any
from uuid import uuid4

from aegis_project.kit.errors import AegisError
from aegis_project.kit.principal import Principal
from sessions.dialects import daemon, envelope
from sessions.dialects.envelope import Envelope
from sessions.dialects.wire import Wire


class DaemonConsumer(Wire[Envelope]):
    """
    One client that commands by envelopes; `request_id` says what an answer is to.

    A start is answered when it is settled. Meanwhile others are, and a stop withdraws it.
    """

    transport = "daemon-socket"

    def read(self, value: Any) -> Envelope:
        return envelope.read(value, request_id=uuid4().hex)

    def waits(self, asked: Envelope) -> bool:
        return asked.command in daemon.WAITING

    def act(self, principal: Principal, asked: Envelope) -> dict[str, Any]:
        return daemon.execute(principal, asked)

    def fault(self, value: Any, error: AegisError) -> dict[str, Any]:
        return envelope.error(envelope.named(value), error.message, {})
