"""The scripts of the demo's agents: what each says and asks for, by what it was told and read."""

from collections.abc import Callable
from typing import Any

import msgspec

from sessions.agent import scripts
from sessions.agent.protocol import Prompt, ToolRequest, Turn
from sessions.agent.scripts import Reply
from sessions.core.conversation import Role
from sessions.core.flash_dip import telling, words

TIMEOUT = "APPROVAL_TIMEOUT"
# From before the price gap, also where the story is played fast.
MOST_KLINES = 150


def detection(prompt: Prompt) -> Reply:
    """Opens an incident for an alert."""
    if scripts.answers_given(prompt):
        return Reply(text=f"The incident is open, and “{words.CHECKPOINT}” is kept.")
    alert = told(prompt)
    return _asking(telling.detected(alert), words.OPEN_INCIDENT, {"alert": alert})


def triage(prompt: Prompt) -> Reply:
    """Reads what happened, explains it and hands over."""
    steps: list[Callable[[Prompt], Reply]] = [_reading, _explaining]
    step = scripts.answers_given(prompt)
    if step < len(steps):
        return steps[step](prompt)
    return Reply(text=f"{words.RESOLUTION} goes on.")


def _reading(_prompt: Prompt) -> Reply:
    asked = {words.KLINES: MOST_KLINES, words.BOOK: 2}
    requests = tuple(
        ToolRequest(f"read-{number}", "read_topic", {"topic": topic, "newest": newest})
        for number, (topic, newest) in enumerate(asked.items(), 1)
    )
    return Reply(text="I look at the ticks.", requests=requests)


def _explaining(prompt: Prompt) -> Reply:
    klines, books = (answer_to(prompt, f"read-{number}").get("records", []) for number in (1, 2))
    text = telling.explained(klines, books)
    return _publishing(text, {"phase": words.EXPLAINED})


def resolution(prompt: Prompt) -> Reply:
    """Asks to close the position, or to halt the strategy, and says what became of it."""
    last = results(prompt)[-1:]
    if not last:
        arguments = {"symbol": words.SYMBOL, "max_slippage_bps": telling.SLIPPAGE_BPS}
        return _asking(telling.ASKING, words.FLATTEN, arguments)
    return AFTER[asked_for(prompt, last[0])](prompt, last[0])


def _after_flatten(_prompt: Prompt, result: Turn) -> Reply:
    if not result.is_error:
        return _decided(telling.filled(read(result)["order"]), words.APPROVED)
    if _is_expired(result):
        return _asking("I leave a note.", "post_note", {"text": telling.EXPIRED})
    return _asking(telling.HALTING, words.HALT, {"symbol": words.SYMBOL})


def _after_halt(_prompt: Prompt, result: Turn) -> Reply:
    return _decided("I pass it on.", words.REJECTED if result.is_error else words.HALTED)


def _after_note(_prompt: Prompt, _result: Turn) -> Reply:
    unresolved = {"phase": words.UNRESOLVED, "outcome": words.EXPIRED}
    return _publishing("I pass it on.", unresolved)


def _after_telling(prompt: Prompt, result: Turn) -> Reply:
    said = next(one for one in _requests(prompt) if one.id == result.answers)
    return Reply(text=telling.OUTCOMES[said.arguments["data"]["outcome"]])


AFTER: dict[str, Callable[[Prompt, Turn], Reply]] = {
    words.FLATTEN: _after_flatten,
    words.HALT: _after_halt,
    "post_note": _after_note,
    "publish": _after_telling,
}


def audit(prompt: Prompt) -> Reply:
    """Writes the report of an incident."""
    step = scripts.answers_given(prompt)
    if step == 0:
        return _asking("I write down what happened.", words.READ_INCIDENT, {})
    last = results(prompt)[-1:]
    if step == 1 and last and not last[0].is_error:
        text = telling.report(read(last[0]), told(prompt)["outcome"])
        return _asking(
            "That is all there is.", "write_artifact", {"name": words.REPORT, "text": text}
        )
    is_written = bool(last) and not last[-1].is_error
    return Reply(text=telling.WRITTEN if is_written else telling.UNWRITTEN)


SCRIPTS: dict[str, scripts.Script] = {
    "flash-dip-detection": detection,
    "flash-dip-triage": triage,
    "flash-dip-resolution": resolution,
    "flash-dip-audit": audit,
}


def install() -> None:
    """Let each of them be a model by its name."""
    for name, script in SCRIPTS.items():
        scripts.register(name, script)


def told(prompt: Prompt) -> dict[str, Any]:
    """The record that woke the agent: what of the last words of a user is JSON."""
    said = [turn.content for turn in prompt.turns if turn.role == Role.USER]
    _, brace, rest = said[-1].partition("{") if said else ("", "", "")
    return msgspec.json.decode(brace + rest or "{}", type=dict[str, Any])


def results(prompt: Prompt) -> list[Turn]:
    """What tools answered since the agent was woken."""
    return [turn for turn in scripts.since_user(prompt) if turn.role == Role.TOOL]


def read(result: Turn) -> dict[str, Any]:
    """The answer of a tool."""
    return msgspec.json.decode(result.content, type=dict[str, Any])


def answer_to(prompt: Prompt, id_: str) -> dict[str, Any]:
    """The answer to one request."""
    return read(next(turn for turn in results(prompt) if turn.answers == id_))


def asked_for(prompt: Prompt, result: Turn) -> str:
    """Which tool it is that answered."""
    return next(one.tool for one in _requests(prompt) if one.id == result.answers)


def _requests(prompt: Prompt) -> list[ToolRequest]:
    return [one for turn in scripts.since_user(prompt) for one in turn.requests]


def _is_expired(result: Turn) -> bool:
    return read(result).get("code") == TIMEOUT


def _asking(text: str, tool: str, arguments: dict[str, Any]) -> Reply:
    return Reply(text=text, requests=(ToolRequest(f"ask-{tool}", tool, arguments),))


def _publishing(text: str, data: dict[str, Any]) -> Reply:
    said = {**data, "symbol": words.SYMBOL}
    return _asking(text, "publish", {"topic": words.INCIDENTS, "data": said})


def _decided(text: str, outcome: str) -> Reply:
    return _publishing(text, {"phase": words.DECIDED, "outcome": outcome})
