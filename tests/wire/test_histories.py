"""Conversations that were stored by earlier versions of the library are still understood."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sessions.agent import translation
from sessions.agent.protocol import History, ToolRequest, Turn
from sessions.core.conversation import Role
from tests.wire.asking import asked, completed
from tests.wire.provider import provider, words

GOLDEN = Path(__file__).parent / "golden"
STORED = sorted(GOLDEN.glob("*.json"))
# What all of them are histories of: this was said, and the tool's answer comes next.
TURNS = [
    Turn(Role.SYSTEM, "The market is open."),
    Turn(Role.USER, "What is in the picture? Then add one to it."),
    Turn(Role.ASSISTANT, "A square.", requests=(ToolRequest("c-1", "mcp.sums.add", {"n": 1}),)),
    Turn(Role.TOOL, "2", answers="c-1"),
    Turn(Role.USER, "Thanks."),
]
COVERED = 3


@pytest.mark.parametrize(
    "history",
    [History(format=f"pydantic-ai/{one.stem}", body=one.read_bytes()) for one in STORED],
    ids=lambda history: history.format,
)
async def test_a_history_of_each_version_goes_on(history: History):
    sent = await told(history)

    name = translation.wire_name("mcp.sums.add")
    assert [one["role"] for one in sent] == [
        "system",
        "system",
        "user",
        "assistant",
        "tool",
        "user",
    ]
    assert sent[2]["content"][1]["image_url"]["url"] == "data:image/png;base64,cG5n"
    assert sent[3]["content"] == "A square."
    assert sent[3]["tool_calls"][0]["function"] == {"name": name, "arguments": '{"n":1}'}
    assert sent[4:] == [
        {"role": "tool", "tool_call_id": "c-1", "content": "2"},
        {"role": "user", "content": "Thanks."},
    ]


def test_what_is_written_now_is_among_them():
    assert translation.FORMAT in {f"pydantic-ai/{path.stem}" for path in STORED}


@pytest.mark.parametrize(
    "history",
    [
        History(format="pydantic-ai/1.9.0", body=STORED[0].read_bytes()),
        History(format="another/2.68.0", body=STORED[0].read_bytes()),
        History(format=translation.FORMAT, body=b'[{"kind": "of old"}]'),
        History(format=translation.FORMAT, body=b"{broken"),
    ],
)
async def test_a_history_that_is_not_understood_is_left_for_the_rows(history: History):
    sent = await told(history)

    assert sent == await told(None)
    assert sent[2]["content"] == TURNS[1].content


async def told(history: History | None) -> list[dict[str, Any]]:
    prompt = replace(asked(), turns=TURNS, history=history, covered=COVERED)
    async with provider(words("Hi")) as at:
        await completed(at, prompt)
    sent: list[dict[str, Any]] = at.asked[0].body["messages"]
    return sent
