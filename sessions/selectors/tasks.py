"""Reading tasks, as clients call what we call runs."""

from uuid import UUID

from django.db.models import QuerySet

from aegis_project.kit.principal import Principal
from aegis_project.prepared import Prepared
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
    for found in _again(pk=run.pk):
        return found
    raise RunNotFound(task=str(run.pk))


@Prepared
def _again(pk: UUID) -> QuerySet[Run]:
    return Run.objects.filter(pk=pk).select_related("answer")
