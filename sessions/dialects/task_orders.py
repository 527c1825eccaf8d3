"""From what a client of seed 002 asks for to the task that is given."""

from aegis_project.kit.errors import ValidationFailed
from sessions.core.tasks import TaskRequest
from sessions.services.tasks import Task
from streaming.api import codecs


def ordered(asked: TaskRequest, *, agent: str = "", session: str = "") -> Task:
    """
    The task for an agent, in the session of the address or else of its context.

    :raises ValidationFailed: for an input without a text, or values that no database keeps
    """
    try:
        codecs.check_kept(asked.parameters, asked.context.metadata)
    except ValueError as error:
        raise ValidationFailed(f"{error}.") from None
    return Task(
        content=asked.input.text(),
        agent=agent,
        session=session or asked.context.session_id,
        label=asked.task_id,
        parameters=asked.parameters,
        metadata=asked.context.kept(),
    )
