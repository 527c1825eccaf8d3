"""What the commands of seed 000 tell about components."""

from typing import Any

from aegis_project.kit.errors import AegisError, ValidationFailed
from aegis_project.kit.principal import Principal
from components import selectors
from components.models import Component
from sessions.dialects import payloads, shapes
from sessions.dialects.envelope import Refused
from sessions.models import Session
from sessions.selectors import sessions

Payload = dict[str, Any]
Data = dict[str, Any]


def components(principal: Principal, payload: Payload) -> Data:
    """COMPONENT_LIST."""
    principal.require("components:read")
    asked = payloads.read(payload, payloads.One, required="session_id")
    row = sessions.resolve(principal, asked.session_id)
    return {
        "session_id": str(row.pk),
        "components": [shapes.component(one) for one in selectors.parts(row.pk)],
        **shapes.truth(row),
    }


def component(principal: Principal, payload: Payload) -> Data:
    """COMPONENT_GET."""
    row, found = one(principal, payload)
    return {"session_id": str(row.pk), "component": shapes.component_alone(found)}


def describe(principal: Principal, payload: Payload) -> Data:
    """COMPONENT_DESCRIBE."""
    row, found = one(principal, payload)
    return {"session_id": str(row.pk), "component": shapes.component_described(found)}


def one(principal: Principal, payload: Payload) -> tuple[Session, Component]:
    """
    The component that a payload names, and its session.

    :raises PermissionDenied: without the scope components:read
    :raises Refused: with the session, if the component is not there, or several answer
    """
    principal.require("components:read")
    asked = payloads.read(payload, payloads.OneComponent, required="session_id")
    row = sessions.resolve(principal, asked.session_id)
    try:
        return row, _named(row, asked.component_id)
    except AegisError as error:
        raise Refused(error, {"session_id": str(row.pk)}) from None


def _named(row: Session, reference: str) -> Component:
    names = [] if reference else [one.name for one in selectors.parts(row.pk)]
    if len(names) > 1:
        raise ValidationFailed(f"missing required field: component_id, one of {', '.join(names)}")
    return selectors.find(reference, session_id=row.pk)
