"""Between JSON and the SDK's types: operations by their names, numbers as they were."""

from typing import Any, NamedTuple, TypeVar

from a2a.types import a2a_pb2 as types
from a2a.utils.errors import InvalidParamsError, VersionNotSupportedError
from a2a.utils.proto_utils import validate_proto_required_fields
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)

VERSION = "1.0"
OLDEST = "0.3"
WORDS = {"true": True, "false": False}


class Operation(NamedTuple):
    """What is asked for: the method of the SDK's interface, and the type of its parameters."""

    method: str
    kind: type[Message]
    is_stream: bool = False


OPERATIONS = {
    "SendMessage": Operation("on_message_send", types.SendMessageRequest),
    "SendStreamingMessage": Operation(
        "on_message_send_stream", types.SendMessageRequest, is_stream=True
    ),
    "GetTask": Operation("on_get_task", types.GetTaskRequest),
    "ListTasks": Operation("on_list_tasks", types.ListTasksRequest),
    "CancelTask": Operation("on_cancel_task", types.CancelTaskRequest),
    "SubscribeToTask": Operation(
        "on_subscribe_to_task", types.SubscribeToTaskRequest, is_stream=True
    ),
    "CreateTaskPushNotificationConfig": Operation(
        "on_create_task_push_notification_config", types.TaskPushNotificationConfig
    ),
    "GetTaskPushNotificationConfig": Operation(
        "on_get_task_push_notification_config", types.GetTaskPushNotificationConfigRequest
    ),
    "ListTaskPushNotificationConfigs": Operation(
        "on_list_task_push_notification_configs", types.ListTaskPushNotificationConfigsRequest
    ),
    "DeleteTaskPushNotificationConfig": Operation(
        "on_delete_task_push_notification_config", types.DeleteTaskPushNotificationConfigRequest
    ),
    "GetExtendedAgentCard": Operation(
        "on_get_extended_agent_card", types.GetExtendedAgentCardRequest
    ),
}


def read(value: Any, kind: type[M]) -> M:
    """
    JSON as a type of the protocol; members that nobody knows are left out.

    :raises InvalidParamsError: for what is none, or lacks what is required
    """
    if isinstance(value, dict) and value.get("includeArtifacts") in WORDS:
        # Addresses hold texts alone.
        value = {**value, "includeArtifacts": WORDS[value["includeArtifacts"]]}
    try:
        found: M = ParseDict(value, kind(), ignore_unknown_fields=True)
    except (ParseError, AttributeError, TypeError, ValueError) as error:
        raise InvalidParamsError(f"The parameters cannot be read: {error}") from None
    validate_proto_required_fields(found)
    return found


def shown(found: Message | None) -> dict[str, Any]:
    """An answer as JSON; nothing is an empty object."""
    if found is None:
        return {}
    told = _plain(MessageToDict(found))
    if isinstance(found, types.ListTasksResponse):
        # These are always there.
        empty = {"tasks": [], "nextPageToken": "", "totalSize": 0}
        return {**empty, "pageSize": found.page_size, **told}
    assert isinstance(told, dict)  # noqa: S101 -- every message is an object
    return told


def response(found: Message) -> Message:
    """What SendMessage and streams say, in its envelope."""
    if isinstance(found, types.StreamResponse):
        return found
    kinds = {
        types.Task: "task",
        types.Message: "message",
        types.TaskStatusUpdateEvent: "status_update",
        types.TaskArtifactUpdateEvent: "artifact_update",
    }
    return types.StreamResponse(**{kinds[type(found)]: found})


def told(found: Message) -> dict[str, Any]:
    """A message that a client sent, as JSON."""
    value = _plain(MessageToDict(found))
    assert isinstance(value, dict)  # noqa: S101 -- every message is an object
    return value


def check_version(said: str) -> None:
    """
    Go on only with a client of this version; who says none speaks 0.3.

    :raises VersionNotSupportedError: otherwise
    """
    version = said.strip() or OLDEST
    if ".".join(version.split(".")[:2]) != VERSION:
        raise VersionNotSupportedError(
            f"A2A {version[:20]} is not spoken here; send A2A-Version: {VERSION}."
        )


def _plain(value: Any) -> Any:
    """The same with whole numbers whole: the protocol's own objects know none."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value
