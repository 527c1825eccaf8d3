"""The log of a run as the task of A2A 1.0: what it is by now, and what each entry changes."""

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import msgspec

from aegis_project.kit import moments
from sessions.core import runs, tool_calls
from sessions.core.catching_up import Numbered
from sessions.core.run_log import Data, End, Error, Start, Status, Text, ToolCall, ToolResult
from sessions.core.runs import A2A_WORDS, REJECTED, State, a2a_word

UNIX = datetime(1970, 1, 1, tzinfo=UTC)
PREFIX = "TASK_STATE_"
ENDS = {A2A_WORDS[state] for state in State if state not in runs.OPEN} | {REJECTED}
TERMINAL = frozenset(PREFIX + word for word in ENDS)
WAITS = PREFIX + A2A_WORDS[State.WAITING]
PLAIN = "text/plain"
JSON, ADDRESS = "application/json", "text/uri-list"
ANSWER, FILE = "answer-", "file-"
SENTENCES = {
    "approval": "Waits for a decision.",
    "budget": "Waits for a higher limit, which an operator may give.",
    "input": "Waits for input.",
    "unknown": "Waits for a person who says what became of a tool call.",
}

Document: TypeAlias = dict[str, Any]
"""A message of the protocol, as its JSON writes it."""

# What the ledger tells of a run, as states of its task.
TOLD = {
    "run.started": State.WORKING,
    "run.released": State.WORKING,
    "run.resumed": State.WORKING,
    "run.waiting": State.WAITING,
    "run.completed": State.COMPLETED,
    "run.failed": State.FAILED,
    "run.cancelled": State.CANCELLED,
}


class Telling:
    """
    One task, told entry by entry.

    ``take`` gives what an entry changes, as a client that followed so far has to hear it;
    ``task`` is what somebody sees who comes now. Both are functions of the log alone, so every
    reader hears the same in the same order.
    """

    def __init__(self, *, task: str, context: str) -> None:
        self._names = {"taskId": task, "contextId": context}
        self._said: list[tuple[int, Document]] = []
        self._asked: dict[str, ToolCall] = {}
        self._messages: list[tuple[int, Document]] = []
        self._answers = self._files = 0
        self._is_new_part = True
        self.status: Document = {"state": PREFIX + A2A_WORDS[State.QUEUED]}

    def take(self, one: Numbered) -> list[Document]:
        """The events of one entry, each a statusUpdate or an artifactUpdate."""
        match one.entry:
            case Text(text=text):
                return [self._say(one.seq, text)]
            case Data():
                return [self._give(one.seq, one.entry)]
            case Start(keeps=keeps, attempt=attempt):
                voided = self._void(keeps)
                return [*voided, self._stand(one, State.WORKING, metadata={"attempt": attempt})]
            case ToolCall() | ToolResult():
                return [self._use(one, one.entry)]
            case _:
                return [self._move(one, one.entry)]

    def task(self, history: Iterable[tuple[int, Document]] = ()) -> Document:
        """The task as it stands; ``history`` is what its user said, each with its time (unix ms)."""
        earlier = [one for one in self._messages if one[1] is not self.status.get("message")]
        told = sorted([*history, *earlier], key=lambda one: one[0])
        found: Document = {
            "id": self._names["taskId"],
            "contextId": self._names["contextId"],
            "status": self.status,
            "history": [message for _, message in told],
        }
        artifacts = self.artifacts()
        return {**found, "artifacts": artifacts} if artifacts else found

    def reply(self) -> Document:
        """What the task has made, as a message of its agent instead."""
        parts = [part for artifact in self.artifacts() for part in artifact["parts"]]
        name, context = self._names["taskId"], self._names["contextId"]
        own = {"messageId": f"{name}-reply", "role": "ROLE_AGENT", "contextId": context}
        return {**own, "parts": parts}

    def artifacts(self) -> list[Document]:
        """What the task has made, texts whole."""
        found: dict[str, list[Document]] = {}
        for _, artifact in self._said:
            found.setdefault(artifact["artifactId"], []).append(artifact)
        return [_whole(pieces) for pieces in found.values()]

    def _say(self, seq: int, text: str) -> Document:
        is_new = self._is_new_part or not self._answers
        self._answers += is_new
        self._is_new_part = False
        name = f"{ANSWER}{self._answers}"
        artifact = {"artifactId": name, "name": "answer", "parts": [_text(text)]}
        self._said.append((seq, artifact))
        return self._artifact(artifact, is_more=not is_new)

    def _give(self, seq: int, entry: Data) -> Document:
        self._files += 1
        self._is_new_part = True
        part = _part(entry)
        artifact = {
            "artifactId": f"{FILE}{self._files}",
            "name": entry.name or "file",
            "parts": [{**part, "filename": entry.name} if entry.name else part],
        }
        self._said.append((seq, artifact))
        return self._artifact(artifact)

    def _void(self, keeps: int) -> list[Document]:
        """Take back what an attempt said since the safe point that the next one begins at."""
        before = self.artifacts()
        self._said = [one for one in self._said if one[0] <= keeps]
        after = {one["artifactId"]: one for one in self.artifacts()}
        self._answers = sum(name.startswith(ANSWER) for name in after)
        self._files = len(after) - self._answers
        self._is_new_part = True
        changed = [one for one in before if after.get(one["artifactId"]) != one]
        return [self._artifact(after.get(one["artifactId"]) or _gone(one)) for one in changed]

    def _use(self, one: Numbered, entry: ToolCall | ToolResult) -> Document:
        self._is_new_part = True
        if isinstance(entry, ToolCall):
            self._asked[entry.id] = entry
            told: Document = {"arguments": entry.arguments}
        else:
            self._asked.pop(entry.id, None)
            told = {"result": entry.result, "error": entry.error}
        call = {"id": entry.id, "tool": entry.name, "state": entry.state, **told}
        return self._stand(one, State.WORKING, parts=[_data({"toolCall": call})])

    def _move(self, one: Numbered, entry: Status | End | Error) -> Document:
        match entry:
            case Status(state=state, waiting_for=what, text=text):
                if state == State.WAITING:
                    return self._wait(one, what, text)
                return self._stand(one, State.WORKING, metadata={"aegisState": state})
            case End(state=state):
                return self._stand(one, State(state))
            case _:
                parts = [
                    _text(entry.message),
                    _data({"code": entry.code, "details": entry.details}),
                ]
                return self._stand(one, State.FAILED, parts=parts, code=entry.code)

    def _wait(self, one: Numbered, what: str, text: str) -> Document:
        pending = [
            {"approval": call.approval, "tool": call.name, "arguments": call.arguments}
            for call in self._asked.values()
            if call.approval and call.state == tool_calls.State.PENDING
        ]
        said = text or SENTENCES.get(what, "Waits.")
        parts = [_text(said), _data({"waitingFor": what, "approvals": pending})]
        update = self._stand(one, State.WAITING, parts=parts)
        self._messages.append((one.ts, self.status["message"]))
        return update

    def _stand(
        self,
        one: Numbered,
        state: State,
        *,
        parts: list[Document] | None = None,
        metadata: Document | None = None,
        code: str = "",
    ) -> Document:
        status: Document = {
            "state": PREFIX + a2a_word(state, code=code),
            "timestamp": stamp(one.ts),
        }
        if parts:
            status["message"] = self._message(one.seq, parts)
        told = {**self._names, "status": status}
        self.status = status
        return {"statusUpdate": {**told, "metadata": metadata} if metadata else told}

    def _message(self, seq: int, parts: list[Document]) -> Document:
        own = {"messageId": f"{self._names['taskId']}-{seq}", "role": "ROLE_AGENT"}
        return {**own, **self._names, "parts": parts}

    def _artifact(self, artifact: Document, *, is_more: bool = False) -> Document:
        told = {**self._names, "artifact": artifact}
        return {"artifactUpdate": {**told, "append": True} if is_more else told}


def is_over(update: Mapping[str, Any]) -> bool:
    """Whether nothing follows this event of a task."""
    return _state(update) in TERMINAL


def is_interrupted(update: Mapping[str, Any]) -> bool:
    """Whether the task waits for its client, or somebody else, from this event on."""
    return _state(update) == WAITS


def ends(type_: str) -> bool:
    """Whether an event of the ledger is the last of a run."""
    return type_ in TOLD and TOLD[type_] not in runs.OPEN


def moved(type_: str, *, task: str, context: str, at: str) -> Document:
    """What an event of the ledger tells of a task; ``at`` is its time."""
    status = {"state": PREFIX + A2A_WORDS[TOLD[type_]], "timestamp": at}
    return {"statusUpdate": {"taskId": task, "contextId": context, "status": status}}


def stamp(ts: float) -> str:
    """A time (unix ms) as the protocol writes it: UTC, milliseconds, Z."""
    return moments.stamp(UNIX + timedelta(milliseconds=ts))


def _state(update: Mapping[str, Any]) -> str:
    found: str = update.get("statusUpdate", {}).get("status", {}).get("state", "")
    return found


def _part(entry: Data) -> Document:
    """A piece of an answer that is no text: JSON as data, an address as itself, else a file."""
    if entry.media_type not in {JSON, ADDRESS}:
        return {"raw": entry.data, "mediaType": entry.media_type}
    body = base64.b64decode(entry.data)
    try:
        if entry.media_type == ADDRESS:
            return {"url": body.decode().strip()}
        return {"data": msgspec.json.decode(body), "mediaType": JSON}
    except (UnicodeDecodeError, msgspec.DecodeError):
        return {"raw": entry.data, "mediaType": entry.media_type}


def _text(text: str) -> Document:
    return {"text": text, "mediaType": PLAIN}


def _data(value: Document) -> Document:
    return {"data": value, "mediaType": JSON}


def _whole(pieces: list[Document]) -> Document:
    if len(pieces) == 1:
        return pieces[0]
    return {**pieces[0], "parts": [_text("".join(one["parts"][0]["text"] for one in pieces))]}


def _gone(artifact: Document) -> Document:
    return {**artifact, "parts": [_text("")], "metadata": {"void": True}}
