"""Publishing a record by hand, as far as that is allowed."""

import time
from uuid import UUID

import msgspec
from django.conf import settings

from aegis_project.kit import strict
from aegis_project.kit.errors import AegisError, PermissionDenied, ValidationFailed
from aegis_project.kit.principal import Principal
from sessions.core.lifecycle import Environment
from sessions.models import Session
from sessions.selectors import sessions
from streaming import node
from streaming.core import topics
from streaming.core.errors import SessionOver
from streaming.hub import checking
from streaming.hub.checking import Offered
from streaming.selectors import logs

MAX_BYTES = 64 * 1024
OFF = "Publishing by hand is off here: this is a production installation (AEGIS_ADMIN_PUBLISH)."


def refusal(principal: Principal, session: Session, topic: str) -> str:
    """Why the principal cannot publish into a topic by hand; empty when they can."""
    try:
        _check(principal, session, topic)
    except AegisError as error:
        return error.message
    return ""


def publish(
    *, principal: Principal, session_id: UUID, topic: str, text: str, confirmed: str
) -> Offered:
    """
    Publish one record, as the rule of the topic has it.

    ``confirmed`` is the session's key where it is a production session.

    :raises AegisError: when the principal cannot, or the text is not JSON
    """
    session = sessions.find(principal, session_id)
    _check(principal, session, topic)
    if session.environment == Environment.PRODUCTION and confirmed != session.key:
        raise ValidationFailed("Confirm the key of the production session.", fields=["confirmed"])
    strict.decode(text, max_bytes=MAX_BYTES)
    data = msgspec.json.format(text.encode(), indent=-1)
    here, key = node.required(), (str(session.pk), topic)
    record = (time.time_ns() // 1_000_000, data)
    offered = here.call(checking.offer(here.hub, key, [record], by=principal.actor))
    here.hub.wrote(key, principal.actor)
    return offered


def _check(principal: Principal, session: Session, topic: str) -> None:
    principal.require("topics:publish")
    if not settings.ENVIRONMENT.may_publish_by_hand:
        raise PermissionDenied(OFF)
    topics.check_publishable(topic, logs.patterns(principal))
    if not session.is_open:
        raise SessionOver(session=session.key, state=session.state)
