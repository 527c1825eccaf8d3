"""The operations of A2A on our rows: the SDK's interface, in any process and at any time."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC
from typing import Any

from a2a.server.context import ServerCallContext
from a2a.server.events.event_queue import Event
from a2a.server.request_handlers.request_handler import RequestHandler
from a2a.types import a2a_pb2 as types
from a2a.utils import input_mode_validator
from a2a.utils.errors import (
    InvalidParamsError,
    TaskNotCancelableError,
    UnsupportedOperationError,
)
from a2a.utils.task import apply_history_length, validate_history_length, validate_page_size
from django.db.models import Q
from google.protobuf.json_format import ParseDict

from aegis_project.database import read_db, run_db
from aegis_project.kit.principal import Principal
from sessions import commands
from sessions.core import a2a
from sessions.core.runs import A2A_WORDS, REJECTED, RunRejected, State
from sessions.dialects import a2a_cards
from sessions.dialects.a2a import telling, wire
from sessions.models import Agent, Run
from sessions.selectors import a2a as reading
from sessions.selectors import run_stream
from sessions.selectors.a2a import Snapshot
from sessions.services import a2a as sending
from sessions.services import pushes, runs
from sessions.services.a2a import Asked
from streaming import node
from streaming.selectors import pages

WAIT_SECONDS = 60.0
BEAT_SECONDS = 4.0
ORDER = "-status_at"
PAGE = 50


class Tasks(RequestHandler):
    """
    What an agent is asked by A2A, for both bindings.

    Operations that answer once never wait for the loop: they run in the thread of their caller,
    as services do. Streams run on the node's loop. The context's state holds the ``principal``,
    the ``agent`` and the ``base`` address; a stream may find in ``begun`` the run it is to follow.
    """

    async def on_message_send(
        self, params: types.SendMessageRequest, context: ServerCallContext
    ) -> types.Task | types.Message:
        validate_history_length(params.configuration)
        run = begin(params, context)
        is_message = _by_message(params, context)
        if is_message or not params.configuration.return_immediately:
            run = commands.worked(run, timeout_seconds=WAIT_SECONDS)
        if is_message and run.state == State.COMPLETED:
            return _message(reading.snapshot(run_with_session(run)))
        return _task(reading.snapshot(run_with_session(run)).task, params.configuration)

    async def on_message_send_stream(
        self, params: types.SendMessageRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event, None]:
        run: Run | None = context.state.get("begun")
        if run is None:
            run = await run_db(begin, params, context)
        if _by_message(params, context):
            yield await _reply(run)
            return
        is_new = not params.message.task_id
        async with aclosing(_follow(run, ends_waiting=True, is_new=is_new)) as events:
            async for event in events:
                yield event

    async def on_subscribe_to_task(
        self, params: types.SubscribeToTaskRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event, None]:
        run = await read_db(followed, params, context)
        async with aclosing(_follow(run, ends_waiting=False)) as events:
            async for event in events:
                yield event

    async def on_get_task(
        self, params: types.GetTaskRequest, context: ServerCallContext
    ) -> types.Task | None:
        validate_history_length(params)
        return _task(reading.snapshot(_found(context, params.id)).task, params)

    async def on_cancel_task(
        self, params: types.CancelTaskRequest, context: ServerCallContext
    ) -> types.Task | None:
        run = _found(context, params.id)
        if not run.is_open:
            raise TaskNotCancelableError(f"The task is {run.state}.")
        runs.cancel(principal=_principal(context), run=run, reason="client")
        return _task(reading.snapshot(run).task)

    async def on_list_tasks(
        self, params: types.ListTasksRequest, context: ServerCallContext
    ) -> types.ListTasksResponse:
        validate_history_length(params)
        size = params.page_size if params.HasField("page_size") else PAGE
        validate_page_size(size)
        rows = _filtered(reading.own(_principal(context), _agent(context).slug), params)
        page = pages.page(rows, order=ORDER, cursor=params.page_token, limit=size)
        told = [
            reading.snapshot(run).task if params.include_artifacts else reading.brief(run)
            for run in page.rows
        ]
        return types.ListTasksResponse(
            tasks=[_task(one, params) for one in told],
            next_page_token=page.next,
            page_size=size,
            total_size=rows.order_by().count(),
        )

    async def on_create_task_push_notification_config(
        self, params: types.TaskPushNotificationConfig, context: ServerCallContext
    ) -> types.TaskPushNotificationConfig:
        run = _found(context, params.task_id)
        return telling.define(params, run, _principal(context))

    async def on_get_task_push_notification_config(
        self, params: types.GetTaskPushNotificationConfigRequest, context: ServerCallContext
    ) -> types.TaskPushNotificationConfig:
        return telling.one(_found(context, params.task_id), params.id)

    async def on_list_task_push_notification_configs(
        self, params: types.ListTaskPushNotificationConfigsRequest, context: ServerCallContext
    ) -> types.ListTaskPushNotificationConfigsResponse:
        return telling.several(_found(context, params.task_id))

    async def on_delete_task_push_notification_config(
        self, params: types.DeleteTaskPushNotificationConfigRequest, context: ServerCallContext
    ) -> None:
        run = _found(context, params.task_id)
        pushes.remove(principal=_principal(context), run=run, name=params.id)

    async def on_get_extended_agent_card(
        self, params: types.GetExtendedAgentCardRequest, context: ServerCallContext
    ) -> types.AgentCard:
        card = a2a_cards.extended(_agent(context), base=context.state["base"])
        told: types.AgentCard = ParseDict(card, types.AgentCard())
        return told


def begin(params: types.SendMessageRequest, context: ServerCallContext) -> Run:
    """
    Let a run in for a message, or let the one go on that it answers.

    :raises ContentTypeNotSupportedError: for a part of a type that the agent does not take
    """
    agent = _agent(context)
    card = ParseDict(a2a_cards.card(agent, base=context.state["base"]), types.AgentCard())
    input_mode_validator.validate_input_modes(params.message, card)
    if params.message.role != types.Role.ROLE_USER:
        raise InvalidParamsError("A message to an agent has the role ROLE_USER.")
    parameters = wire.told(params).get("metadata", {}).get("parameters", {})
    asked = Asked(
        agent=agent,
        message=wire.told(params.message),
        parameters=parameters if isinstance(parameters, dict) else {},
        base=context.state["base"],
    )
    principal = _principal(context)
    if params.configuration.HasField("task_push_notification_config"):
        # Before there is a task that nobody could be told of.
        principal.require(telling.SCOPE)
        telling.check(params.configuration.task_push_notification_config)
    run = sending.send(principal=principal, asked=asked)
    if params.configuration.HasField("task_push_notification_config"):
        given = params.configuration.task_push_notification_config
        telling.define(given, run, principal, from_beginning=not params.message.task_id)
    return run


def followed(params: types.SubscribeToTaskRequest, context: ServerCallContext) -> Run:
    """
    The task that somebody subscribes to.

    :raises UnsupportedOperationError: if it is over
    """
    run = _found(context, params.id)
    if not run.is_open:
        raise UnsupportedOperationError("The task is over.")
    return run


def run_with_session(run: Run) -> Run:
    """The row with what a task is told from."""
    return reading.again(run)


async def _follow(
    run: Run, *, ends_waiting: bool, is_new: bool = False
) -> AsyncGenerator[Event, None]:
    """
    The task as it stands, then whatever its log says, to its end or to where it waits.

    Of a new one all of it is said, however far it has come by now.
    """
    found = await read_db(reading.beginning if is_new else _snapshot, run)
    yield _task(found.task)
    if found.is_over or (ends_waiting and found.telling.status["state"] == a2a.WAITS):
        return
    said = run_stream.entries(
        node.required().hub, found.run, after=found.head, beat_seconds=BEAT_SECONDS, is_late=False
    )
    async with aclosing(said):
        async for entries in said:
            for update in (one for entry in entries for one in found.telling.take(entry)):
                yield _event(update)
                if ends_waiting and a2a.is_interrupted(update):
                    return


async def _reply(run: Run) -> Event:
    """What comes of a task whose client hears of it once: a message, or else the task as it ends."""
    async with aclosing(_follow(run, ends_waiting=True)) as events:
        async for _ in events:
            pass
    found = await read_db(_snapshot, run)
    return _message(found) if found.run.state == State.COMPLETED else _task(found.task)


def _message(found: Snapshot) -> types.Message:
    told: types.Message = ParseDict(found.telling.reply(), types.Message())
    return told


def _by_message(params: types.SendMessageRequest, context: ServerCallContext) -> bool:
    return a2a_cards.answers_by_message(_agent(context), params.message.message_id)


def _snapshot(run: Run) -> Snapshot:
    return reading.snapshot(reading.again(run))


def _event(update: a2a.Document) -> Any:
    found = ParseDict(update, types.StreamResponse())
    return getattr(found, str(found.WhichOneof("payload")))


def _task(told: a2a.Document, limits: Any = None) -> types.Task:
    found = ParseDict(told, types.Task())
    return apply_history_length(found, limits)


def _found(context: ServerCallContext, task: str) -> Run:
    return reading.find(_principal(context), agent=_agent(context).slug, task=task)


def _principal(context: ServerCallContext) -> Principal:
    found: Principal = context.state["principal"]
    return found


def _agent(context: ServerCallContext) -> Agent:
    found: Agent = context.state["agent"]
    return found


def _filtered(rows: Any, params: types.ListTasksRequest) -> Any:
    if params.context_id:
        rows = rows.filter(session__key=params.context_id)
    if params.status:
        word = types.TaskState.Name(params.status).removeprefix(a2a.PREFIX)
        rows = _standing(rows, word)
    if params.HasField("status_timestamp_after"):
        since = params.status_timestamp_after.ToDatetime(tzinfo=UTC)
        rows = rows.filter(status_at__gte=since)
    return rows


def _standing(rows: Any, word: str) -> Any:
    """The tasks whose status is this word of the protocol."""
    rejected = Q(state=State.FAILED.value, error__code=RunRejected.code)
    if word == REJECTED:
        return rows.filter(rejected)
    rows = rows.filter(state__in=[one.value for one in State if A2A_WORDS[one] == word])
    return rows.exclude(rejected)
