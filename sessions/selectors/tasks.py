"""Reading tasks, as clients call what we call runs."""

from aegis_project.kit.principal import Principal
from sessions.core import keys
from sessions.core.errors import RunNotFound
from sessions.models import Run
from sessions.selectors import runs

LONGEST_LABEL = 128


def find(principal: Principal, *, agent: str, task: str) -> Run:
    """
    An agent's task by the id of its run, else the newest that its client calls so.

    :raises PermissionDenied: without the scope runs:read
    :raises RunNotFound: if there is none for the principal
    """
    principal.require("runs:read")
    if not task or "\x00" in task or len(task) > LONGEST_LABEL:
        raise RunNotFound(task=task[:LONGEST_LABEL].replace("\x00", ""))
    rows = runs.visible(principal).filter(agent_slug=agent).select_related("answer")
    uuid = keys.as_uuid(task)
    found = rows.filter(pk=uuid).first() if uuid else None
    found = found or rows.filter(task=task).order_by("-created_at", "-pk").first()
    if found is None:
        raise RunNotFound(task=task)
    return found


def again(run: Run) -> Run:
    """A task as it stands now, with its answer."""
    return Run.objects.select_related("answer").get(pk=run.pk)
