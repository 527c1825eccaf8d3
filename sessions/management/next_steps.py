"""What the command line says to do next, after an error."""

from typing import Any

from typer._click.globals import get_current_context

from aegis_project.kit.errors import AegisError

NEXT = {
    "SESSION_NOT_FOUND": "aegis session list --closed",
    "AMBIGUOUS_REFERENCE": "aegis session list   (its ids are unique, and so are their beginnings)",
    "SESSION_ALREADY_EXISTS": "aegis session list --closed   (or leave --key out)",
    "COMPONENT_NOT_FOUND": "aegis component list",
    "PROGRAM_MISSING": "start it again where it was started   (aegis component show SESSION COMPONENT)",
    "TAG_NOT_FOUND": "aegis tag list",
    "BOOKMARK_NOT_FOUND": "aegis bookmark list",
    "BOOKMARK_ALREADY_EXISTS": "aegis bookmark change BOOKMARK",
    "TEMPLATE_NOT_FOUND": "aegis template list",
    "TEMPLATE_ALREADY_EXISTS": "aegis template change TEMPLATE   (or choose another slug)",
    "CREDENTIAL_NOT_FOUND": "aegis credential list",
    "CREDENTIAL_ALREADY_EXISTS": "aegis credential rotate CREDENTIAL   (or choose another name)",
    "TOPIC_NOT_FOUND": "aegis topic list",
    "AGENT_NOT_FOUND": "aegis agent list",
    "PROVIDER_NOT_FOUND": "aegis provider list",
    "PROVIDER_ALREADY_EXISTS": "aegis provider update PROVIDER   (or choose another slug)",
    "TOOL_SERVER_NOT_FOUND": "aegis tool-server list",
    "TOOL_SERVER_ALREADY_EXISTS": "aegis tool-server update SERVER   (or choose another slug)",
    "WEBHOOK_NOT_FOUND": "aegis webhook list",
    "CHECKPOINT_NOT_FOUND": "aegis checkpoint list SESSION",
    "NOT_EMPTY": "set AEGIS_DATABASE_URL, or AEGIS_HOME, to where nothing is yet",
    "DELIVERY_NOT_FOUND": "aegis webhook deliveries WEBHOOK",
    "AGENT_ALREADY_EXISTS": "aegis agent update AGENT   (or choose another slug)",
    "SERVICE_UNAVAILABLE": "aegis serve   (or aegis run, which sets everything up)",
    "DATABASE_ERROR": "aegis run   (it makes the tables), or check AEGIS_DATABASE_URL",
    "OUT_OF_REACH": "aegis session state SESSION",
    "PERSON_NEEDED": "aegis approval list",
    "TIMEOUT": "aegis session state SESSION   (the session goes on as it was)",
    "PERMISSION_DENIED": "ask an administrator, or come as somebody who may   (--as, --token)",
}


def after(error: AegisError) -> str:
    """What somebody may do after an error."""
    allowed = error.details.get("allowed")
    if allowed:
        return f"allowed now: {', '.join(allowed)}"
    if error.code == "INVALID_STATE":
        return "nothing moves it any more; aegis session create makes another"
    return NEXT.get(error.code) or help_step(get_current_context(silent=True))


def help_step(context: Any) -> str:
    """The command that explains what was asked for, from where the command line was read."""
    words = context.command_path.partition("aegis")[2].split() if context is not None else []
    return " ".join(["aegis", *words, "--help"])
