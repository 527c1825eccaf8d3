"""What can happen to a component, in the words of its session's ledger."""

from enum import StrEnum


class ComponentEvent(StrEnum):
    """Event types of the components app."""

    ATTACHED = "component.attached"
    DETACHED = "component.detached"
    REGISTERED = "component.registered"
    READY = "component.ready"
    RUNNING = "component.running"
    HELD = "component.held"
    LOST = "component.lost"
    FAILED = "component.failed"
    STOPPED = "component.stopped"
    REPORTED = "component.reported"
    LAUNCHED = "component.launched"
    RELAUNCHED = "component.relaunched"
    EXITED = "component.exited"

    HEARTBEAT_LATE = "heartbeat.late"
    HEARTBEAT_LOST = "heartbeat.lost"

    CREDENTIAL_ISSUED = "credential.issued"
    CREDENTIAL_REVOKED = "credential.revoked"


DESCRIPTIONS: dict[ComponentEvent, str] = {
    ComponentEvent.ATTACHED: "A component is expected. Data: component_id, name, role, required.",
    ComponentEvent.DETACHED: (
        "It is not of the session any more. Data: component_id, name, is_forgotten."
    ),
    ComponentEvent.REGISTERED: (
        "It connected and was given its place. Data: component_id, name, role, topics, fence."
    ),
    ComponentEvent.READY: "It can take records. Data: component_id, name.",
    ComponentEvent.RUNNING: "Its delivery gate is open. Data: component_id, name.",
    ComponentEvent.HELD: "Its delivery gate closed; it stays ready. Data: component_id, name.",
    ComponentEvent.LOST: "Its connection is gone. Data: component_id, name, reason.",
    ComponentEvent.FAILED: (
        "It did not come back or gave up. Data: component_id, name, code, message, reason."
    ),
    ComponentEvent.STOPPED: "It was released or finished. Data: component_id, name, reason.",
    ComponentEvent.REPORTED: (
        "It told of a passing error. Data: component_id, name, code, message, reason."
    ),
    ComponentEvent.LAUNCHED: (
        "A launcher started its program. Data: component_id, name, program, attempt."
    ),
    ComponentEvent.RELAUNCHED: (
        "Somebody asked its program to begin anew. Data: component_id, name, program."
    ),
    ComponentEvent.EXITED: (
        "Its program ended. Data: component_id, name, attempt, exit_code, reason, next, restarts."
    ),
    ComponentEvent.HEARTBEAT_LATE: "One heartbeat was missed. Data: component_id, name.",
    ComponentEvent.HEARTBEAT_LOST: "It was silent too long. Data: component_id, name, seconds.",
    ComponentEvent.CREDENTIAL_ISSUED: "A secret was made. Data: credential_id, name, component_id.",
    ComponentEvent.CREDENTIAL_REVOKED: (
        "A secret opens nothing any more. Data: credential_id, name, component_id."
    ),
}
