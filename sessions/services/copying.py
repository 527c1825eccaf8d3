"""Copying a conversation from one session to another, as far as it had come at a checkpoint."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.db.models import Model

from aegis_project.kit.quotas import Quota
from sessions.core import branches, run_log
from sessions.files import storage
from sessions.models import Attachment, Checkpoint, Message, Run, Session, ToolCall
from sessions.services import messages, quotas
from sessions.services import run_log as logs

M = TypeVar("M", bound=Model)
SLICE = 200


def conversation(parent: Session, found: Checkpoint, *, to: Session) -> int:
    """
    Copy what was said up to a checkpoint into a new session; how many messages.

    What runs said that were open there is left out: the agents of the new session decide again.
    What was asked of tools, and came of it, is copied with the runs that did; their rows have new
    ids, and are told by no events. The caller has locked both and saves the counters.
    """
    rows = _said(parent, found)
    if not rows:
        return 0
    runs = _runs(rows, to)
    copies = _messages(rows, to, runs)
    _give_answers(runs, copies)
    _calls(rows, to, runs, copies)
    _attachments(rows, to, copies)
    quotas.admit(to.team_id, Quota.STORED_BYTES, 0)
    to.message_count = len(copies)
    to.llm_token_count = sum(row.token_count for row in rows)
    return len(copies)


def _said(parent: Session, found: Checkpoint) -> list[Message]:
    if found.message is None:
        return []
    nodes = [one for one in messages.nodes(parent.pk) if one.place <= found.message_count]
    path = branches.path(nodes, found.message)
    wanted = path[: path.index(found.message) + 1] if found.message in path else []
    rows = {row.pk: row for row in _some(Message, "pk", wanted)}
    there = [rows[pk] for pk in wanted if pk in rows]
    still_open = {UUID(one["run"]) for one in found.runs}
    return list(takewhile(lambda row: row.run_id not in still_open, there))


def _some(model: type[M], field: str, ids: Sequence[UUID]) -> Iterable[M]:
    # In slices, because a database takes so many parameters and no more.
    for first in range(0, len(ids), SLICE):
        yield from model._default_manager.filter(**{f"{field}__in": ids[first : first + SLICE]})


def _copied(row: M, **fields: Any) -> M:
    """A new row like another one, but for these fields."""
    values = {one.attname: getattr(row, one.attname) for one in row._meta.concrete_fields}
    return type(row)(**{**values, "id": uuid4(), **fields})


def _runs(rows: Sequence[Message], to: Session) -> dict[UUID, Run]:
    ids = list(dict.fromkeys(row.run_id for row in rows if row.run_id is not None))
    found = sorted(_some(Run, "pk", ids), key=lambda run: run.place)
    gone = {"message_id": None, "answer_id": None, "parent_id": None, "trigger_id": None}
    copies = {
        run.pk: _copied(run, session_id=to.pk, place=place, lease_id=None, fence=0, **gone)
        for place, run in enumerate(found, 1)
    }
    Run.objects.bulk_create(copies.values(), batch_size=SLICE)
    return copies


def _messages(
    rows: Sequence[Message], to: Session, runs: Mapping[UUID, Run]
) -> dict[UUID, Message]:
    copies: dict[UUID, Message] = {}
    before: Message | None = None
    for place, row in enumerate(rows, 1):
        run = runs.get(row.run_id) if row.run_id else None
        before = copies[row.pk] = _copied(
            row,
            session_id=to.pk,
            place=place,
            parent_id=before.pk if before else None,
            is_chosen=True,
            run_id=run.pk if run else None,
        )
    Message.objects.bulk_create(copies.values(), batch_size=SLICE)
    return copies


def _give_answers(runs: Mapping[UUID, Run], copies: Mapping[UUID, Message]) -> None:
    """Let each copied run lead to its messages, and its log say that it is over."""
    originals = {run.pk: run for run in _some(Run, "pk", list(runs))}
    for pk, run in runs.items():
        original = originals[pk]
        run.message = copies.get(original.message_id) if original.message_id else None
        run.answer = copies.get(original.answer_id) if original.answer_id else None
        logs.open_log(run)
        logs.append(run, _entries(run))
    Run.objects.bulk_update(runs.values(), ["message", "answer"], batch_size=SLICE)


def _entries(run: Run) -> list[run_log.Entry]:
    asked = str(run.message.pk) if run.message else None
    said = str(run.answer.pk) if run.answer else None
    text = [run_log.Text(text=run.answer.content)] if run.answer and run.answer.content else []
    begin = run_log.Start(
        run=str(run.pk), agent=run.agent_slug, attempt=run.attempt, keeps=0, message=asked
    )
    end = run_log.End(state=run.state, message=said, finish_reason="copied", usage=logs.usage(run))
    return [begin, *text, end]


def _calls(
    rows: Sequence[Message], to: Session, runs: Mapping[UUID, Run], copies: Mapping[UUID, Message]
) -> None:
    ids = [row.pk for row in rows if row.tool_call_count]
    made = [
        _copied(
            call,
            session_id=to.pk,
            run_id=runs[call.run_id].pk,
            message_id=copies[call.message_id].pk if call.message_id else None,
            artifact_id=None,
        )
        for call in _some(ToolCall, "message", ids)
        if call.run_id in runs
    ]
    ToolCall.objects.bulk_create(made, batch_size=SLICE)


def _attachments(rows: Sequence[Message], to: Session, copies: Mapping[UUID, Message]) -> None:
    ids = [row.pk for row in rows if row.attachment_count]
    for file in _some(Attachment, "message", ids):
        assert file.message_id is not None  # noqa: S101 -- they were found by it
        made = _copied(file, session_id=to.pk, message_id=copies[file.message_id].pk)
        made.path = storage.path_of(to.pk, "attachments", made.pk)
        storage.write(made.path, storage.read(file.path))
        made.save(force_insert=True)
