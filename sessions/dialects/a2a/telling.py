"""Push notifications: where a task is told, in the SDK's types."""

from a2a.types import a2a_pb2 as types
from a2a.utils.errors import TaskNotFoundError

from aegis_project.kit.principal import Principal
from sessions.core import webhooks as rules
from sessions.models import Push, Run
from sessions.selectors import webhooks
from sessions.services import pushes
from sessions.services.pushes import Address

SCOPE = "webhooks:write"


def check(given: types.TaskPushNotificationConfig) -> None:
    """
    Go on only with an address that can be one.

    :raises ValidationFailed: otherwise
    """
    rules.check_url(given.url)


def define(
    given: types.TaskPushNotificationConfig,
    run: Run,
    principal: Principal,
    *,
    from_beginning: bool = False,
) -> types.TaskPushNotificationConfig:
    """Tell an address of a task from now on, or from its beginning; what was given, with its id."""
    address = Address(
        url=given.url,
        name=given.id,
        token=given.token,
        scheme=given.authentication.scheme,
        credentials=given.authentication.credentials,
    )
    made = pushes.define(
        principal=principal, run=run, address=address, from_beginning=from_beginning
    ).push
    found = types.TaskPushNotificationConfig()
    found.CopyFrom(given)
    found.id, found.task_id = made.name, str(run.pk)
    return found


def one(run: Run, name: str) -> types.TaskPushNotificationConfig:
    """
    An address of a task, by the client's name for it.

    :raises TaskNotFoundError: if it has none of this name
    """
    found = webhooks.pushes(run).filter(name=name).first() if "\x00" not in name else None
    if found is None:
        raise TaskNotFoundError("The task is told to no such address.")
    return _shown(found)


def several(run: Run) -> types.ListTaskPushNotificationConfigsResponse:
    """All addresses of a task."""
    configs = [_shown(one) for one in webhooks.pushes(run)]
    return types.ListTaskPushNotificationConfigsResponse(configs=configs)


def _shown(row: Push) -> types.TaskPushNotificationConfig:
    # Secrets are never said again.
    found = types.TaskPushNotificationConfig(
        id=row.name, task_id=str(row.run_id), url=row.webhook.url
    )
    if row.scheme:
        found.authentication.scheme = row.scheme
    return found
