"""What goes over the wire to a provider, and what comes back when all is well."""

import base64
from dataclasses import replace

from aegis_project.kit.errors import ValidationFailed
from sessions.agent import translation
from sessions.agent.protocol import (
    Completion,
    Limits,
    Media,
    Spent,
    TextDelta,
    ToolOffer,
    ToolRequest,
    Turn,
)
from sessions.core.conversation import Role
from tests.wire.asking import KEY, asked, azure, completed, heard, own
from tests.wire.provider import MODEL, call, fails, provider, says, text, words

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}
TOOLS = [
    ToolOffer(name="add", description="Adds.", parameters=SCHEMA),
    ToolOffer(name="mcp.files.read", description="Reads.", parameters=SCHEMA),
]
FILES = translation.wire_name("mcp.files.read")


async def test_an_answer_comes_in_the_pieces_of_the_provider():
    async with provider(words("Hel", "lo", " there")) as at:
        pieces, error = await heard(own(at.url))

    assert error is None
    assert pieces[:-1] == [TextDelta("Hel"), TextDelta("lo"), TextDelta(" there")]
    last = pieces[-1]
    assert isinstance(last, Completion)
    assert replace(last, history=None) == Completion(
        text="Hello there",
        requests=(),
        spent=Spent(model=f"own:{MODEL}", input_tokens=11, output_tokens=7),
    )


async def test_one_answer_is_one_request_with_the_key_in_its_header_only():
    limits = Limits(max_output_tokens=50, temperature=0.5)
    async with provider(words("Hi")) as at:
        await heard(own(at.url), asked(settings={"top_p": 0.9, "script": "echo"}), limits=limits)

    assert [one.line for one in at.asked] == ["POST /v1/chat/completions HTTP/1.1"]
    assert at.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert at.asked[0].body == {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 50,
        "temperature": 0.5,
        "top_p": 0.9,
    }


async def test_settings_that_a_run_brings_are_judged_before_anything_is_asked():
    async with provider(words("never")) as at:
        pieces, error = await heard(own(at.url), asked(settings={"max_output_tokens": "many"}))
        await heard(own(at.url), asked(settings={"max_output_tokens": 7}))

    assert pieces == []
    assert isinstance(error, ValidationFailed)
    assert [one.body["max_completion_tokens"] for one in at.asked] == [7]


async def test_tools_are_asked_for_in_fragments_and_side_by_side():
    asks = says(
        text("Let me see."),
        call(0, id="c-1", name="add", arguments='{"n'),
        call(1, id="c-2", name=FILES, arguments=""),
        call(0, arguments='": 1}'),
        call(1, arguments='{"n": 2}'),
        reason="tool_calls",
    )
    async with provider(asks) as at:
        found = await completed(at, asked(tools=TOOLS))

    assert (found.text, found.finish_reason) == ("Let me see.", "tool_calls")
    assert found.requests == (
        ToolRequest("c-1", "add", {"n": 1}),
        ToolRequest("c-2", "mcp.files.read", {"n": 2}),
    )
    assert [one["function"]["name"] for one in at.asked[0].body["tools"]] == ["add", FILES]
    assert at.asked[0].body["tools"][0]["function"]["parameters"] == SCHEMA


async def test_a_tool_without_arguments_is_asked_for():
    async with provider(says(call(0, id="c-1", name="add"), reason="tool_calls")) as at:
        found = await completed(at, asked(tools=TOOLS))

    assert found.requests == (ToolRequest("c-1", "add", {}),)


CONVERSATION = [
    Turn(Role.SYSTEM, "The market is open."),
    Turn(Role.USER, "Add one."),
    Turn(
        Role.ASSISTANT,
        "",
        requests=(ToolRequest("c-1", "add", {"n": 1}), ToolRequest("c-2", "add", {"n": 2})),
    ),
    Turn(Role.TOOL, "2", answers="c-1"),
    Turn(Role.TOOL, "again", answers="c-1"),
    Turn(Role.TOOL, "of nothing", answers="c-9"),
    Turn(Role.USER, "And?"),
    Turn(Role.ASSISTANT, "It is 2."),
    Turn(Role.USER, "Thanks."),
]


async def test_a_conversation_is_told_as_providers_take_it():
    async with provider(words("Hi")) as at:
        await completed(at, replace(asked(), turns=CONVERSATION))

    told = at.asked[0].body["messages"]
    assert [one["role"] for one in told] == [
        "system",
        "system",
        "user",
        "assistant",
        "tool",
        "tool",
        "user",
        "assistant",
        "user",
    ]
    assert [one["id"] for one in told[3]["tool_calls"]] == ["c-1", "c-2"]
    assert [(one["tool_call_id"], one["content"]) for one in told[4:6]] == [
        ("c-1", "2"),
        ("c-2", '{"error":"This call was not carried out."}'),
    ]


async def test_files_are_shown_as_far_as_models_see_them():
    turn = Turn(
        Role.USER,
        "What is this?",
        media=(Media("image/png", b"png", "a.png"), Media("application/zip", b"zip", "b.zip")),
    )
    async with provider(words("A square.")) as at:
        await completed(at, replace(asked(), turns=[turn]))

    shown = at.asked[0].body["messages"][1]["content"]
    image = f"data:image/png;base64,{base64.b64encode(b'png').decode()}"
    assert [one.get("text") or one["image_url"]["url"] for one in shown] == [
        "What is this?",
        image,
        "[b.zip: application/zip, 3 bytes, not shown]",
    ]


async def test_an_answer_says_why_it_ended():
    async with provider(words("cut", reason="length"), words("", reason="content_filter")) as at:
        reasons = [(await completed(at)).finish_reason for _ in range(2)]

    assert reasons == ["length", "content_filter"]


async def test_a_second_request_goes_on_from_the_history_of_the_first():
    async with provider(says(call(0, id="c-1", name="add", arguments='{"n": 1}'))) as at:
        first = await completed(at, asked(tools=TOOLS))
    request = Turn(Role.ASSISTANT, "", requests=first.requests)
    turns = [*asked().turns, request, Turn(Role.TOOL, "2", answers="c-1")]

    async with provider(words("It is 2.")) as at:
        await completed(at, replace(asked(), turns=turns))
        await completed(at, replace(asked(), turns=turns, history=first.history, covered=2))

    from_rows, from_history = (one.body["messages"] for one in at.asked)
    assert from_history == from_rows
    assert from_history[-1] == {"role": "tool", "tool_call_id": "c-1", "content": "2"}


async def test_a_deployment_of_azure_is_asked_at_its_address_with_its_header():
    async with provider(words("Hi")) as at:
        pieces, error = await heard(azure(at.url))

    assert error is None
    last = pieces[-1]
    assert isinstance(last, Completion)
    assert (last.text, last.spent.input_tokens) == ("Hi", 11)
    assert last.spent.cost is not None
    asked_for = at.asked[0]
    assert asked_for.line == (
        "POST /openai/deployments/mine/chat/completions?api-version=2024-10-21 HTTP/1.1"
    )
    assert asked_for.headers["api-key"] == KEY
    assert "authorization" not in asked_for.headers


async def test_what_azure_filters_is_an_answer_that_was_filtered():
    refused = fails(
        "400 Bad Request",
        {
            "error": {
                "code": "content_filter",
                "message": "The prompt was filtered.",
                "innererror": {
                    "code": "ResponsibleAIPolicyViolation",
                    "content_filter_result": {"hate": {"filtered": True, "severity": "high"}},
                },
            }
        },
    )
    async with provider(refused) as at:
        pieces, error = await heard(azure(at.url))

    assert error is None
    assert isinstance(pieces[-1], Completion)
    assert pieces[-1].finish_reason == "content_filter"
