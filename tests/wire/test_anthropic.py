"""Models of Anthropic over the wire, where their library is installed."""

from dataclasses import replace

import pytest

from sessions.agent import translation
from sessions.agent.protocol import (
    Completion,
    Limits,
    Spent,
    TextDelta,
    ToolOffer,
    ToolRequest,
    Turn,
)
from sessions.core.conversation import Role
from tests.wire.asking import KEY, LIMITS, asked, heard
from tests.wire.claude import MODEL, breaks_off, call, claude, refusal, says, text
from tests.wire.provider import fails, provider

pytest.importorskip("anthropic", reason="the extra anthropic is not installed")

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}
TOOLS = [
    ToolOffer(name="add", description="Adds.", parameters=SCHEMA),
    ToolOffer(name="mcp.files.read", description="Reads.", parameters=SCHEMA),
]
FILES = translation.wire_name("mcp.files.read")


async def test_an_answer_comes_in_the_pieces_of_the_provider():
    async with provider(says(text(0, "Hel", "lo", " there"), pause=0.01)) as at:
        pieces, error = await heard(claude(at.url))

    assert error is None
    assert pieces[:-1] == [TextDelta("Hel"), TextDelta("lo"), TextDelta(" there")]
    last = pieces[-1]
    assert isinstance(last, Completion)
    assert replace(last, history=None) == Completion(
        text="Hello there",
        requests=(),
        spent=Spent(model=f"anthropic:{MODEL}", input_tokens=11, output_tokens=7),
    )


async def test_one_answer_is_one_request_with_the_key_in_its_header_only():
    limits = Limits(max_output_tokens=50, temperature=0.5)
    async with provider(says(text(0, "Hi"))) as at:
        await heard(claude(at.url), asked(tools=TOOLS[:1]), limits=limits)

    [one] = at.asked
    assert one.line.startswith("POST /v1/messages")
    assert [KEY in value for value in one.headers.values()].count(True) == 1
    assert KEY not in str(one.body)
    body = one.body
    assert (body["model"], body["max_tokens"], body["temperature"], body["stream"]) == (
        *(MODEL, 50, 0.5),
        True,
    )
    assert "Be brief." in str(body["system"])
    assert [turn["role"] for turn in body["messages"]] == ["user"]
    assert [(tool["name"], tool["input_schema"]) for tool in body["tools"]] == [("add", SCHEMA)]


async def test_tools_are_asked_for_in_fragments_and_side_by_side():
    asks = says(
        text(0, "Let me see."),
        call(1, '{"n', '": 1}', id="toolu_1", name="add"),
        call(2, "", '{"n": 2}', id="toolu_2", name=FILES),
        reason="tool_use",
    )
    async with provider(asks) as at:
        found = await claude(at.url).complete(asked(tools=TOOLS), limits=LIMITS)

    assert (found.text, found.finish_reason) == ("Let me see.", "tool_calls")
    assert found.requests == (
        ToolRequest("toolu_1", "add", {"n": 1}),
        ToolRequest("toolu_2", "mcp.files.read", {"n": 2}),
    )


async def test_what_came_of_tools_is_told_with_their_ids():
    turns = [
        Turn(Role.USER, "Add one."),
        Turn(Role.ASSISTANT, "", requests=(ToolRequest("toolu_1", "add", {"n": 1}),)),
        Turn(Role.TOOL, "2", answers="toolu_1"),
    ]
    async with provider(says(text(0, "It is 2."))) as at:
        await heard(claude(at.url), replace(asked(tools=TOOLS), turns=turns))

    [_, asking, result] = at.asked[0].body["messages"]
    assert [part["id"] for part in asking["content"]] == ["toolu_1"]
    [told] = result["content"]
    assert (told["type"], told["tool_use_id"]) == ("tool_result", "toolu_1")
    assert told["content"] == [{"type": "text", "text": "2"}]


async def test_an_answer_that_was_cut_says_so():
    async with provider(says(text(0, "Once upon"), reason="max_tokens")) as at:
        found = await claude(at.url).complete(asked(), limits=LIMITS)

    assert (found.text, found.finish_reason) == ("Once upon", "length")


@pytest.mark.parametrize(
    ("status", "type_", "code", "times"),
    [
        ("401 Unauthorized", "authentication_error", "LLM_ERROR", 1),
        ("404 Not Found", "not_found_error", "LLM_ERROR", 1),
        ("429 Too Many Requests", "rate_limit_error", "RATE_LIMITED", 3),
        ("500 Internal Server Error", "api_error", "LLM_ERROR", 3),
        ("529 Overloaded", "overloaded_error", "LLM_ERROR", 3),
    ],
)
async def test_a_refusal_has_its_error_and_only_what_passes_is_tried_again(
    status: str, type_: str, code: str, times: int
):
    async with provider(fails(status, refusal(type_, f"no {KEY}"))) as at:
        pieces, error = await heard(claude(at.url))

    assert pieces == []
    assert error is not None
    assert (error.code, len(at.asked)) == (code, times)
    assert KEY not in str(error.as_dict())


async def test_who_was_busy_is_asked_again():
    busy = fails("529 Overloaded", refusal("overloaded_error", "Busy"))
    async with provider(busy, says(text(0, "Hi"))) as at:
        pieces, error = await heard(claude(at.url))

    assert (error, len(at.asked)) == (None, 2)
    assert pieces[0] == TextDelta("Hi")


async def test_an_error_within_an_answer_ends_it_and_nothing_is_asked_again():
    begun = text(0, "Hel")[:2]
    wrong = ("error", refusal("overloaded_error", "Busy"))
    async with provider(breaks_off(*begun, wrong)) as at:
        pieces, error = await heard(claude(at.url))

    assert pieces == [TextDelta("Hel")]
    assert error is not None
    assert (error.code, len(at.asked)) == ("LLM_ERROR", 1)


async def test_an_answer_that_breaks_off_is_none():
    async with provider(breaks_off(*text(0, "Hel")[:2])) as at:
        pieces, error = await heard(claude(at.url))

    assert pieces == [TextDelta("Hel")]
    assert error is not None
    assert (error.code, len(at.asked)) == ("LLM_ERROR", 1)


async def test_who_falls_silent_is_not_waited_for():
    limits = Limits(idle_seconds=0.2)
    async with provider(breaks_off(*text(0, "Hel")[:2], is_hanging=True)) as at:
        pieces, error = await heard(claude(at.url), limits=limits)

    assert pieces == [TextDelta("Hel")]
    assert error is not None
    assert error.code == "LLM_TIMEOUT"
